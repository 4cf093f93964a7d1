import { exitStatusRows, optionRows, verbRows } from '../command-line/help-rows.js'
import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: xl-colo VERB [options]

Protects the disks of a guest by QEMU's COLO replication, over the QMP sockets of two QEMUs.

Verbs:
${verbRows(verbs, width)}

Options:
${optionRows(options, width)}

SOCK is a unix socket's path, or HOST:PORT. A monitor serves one client at a time.

Exit status:
${exitStatusRows(exitStatuses)}
Of several disks, status gives the worst: the highest number.

Example:
  xl-colo start --primary /run/a1,/run/a2 --secondary /run/b1,/run/b2 --listen 192.168.0.2:9000 --every 200ms
`
}

const width = 34
