import { exitStatusRows, optionRows, verbRows } from '../command-line/help-rows.js'
import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: repagent VERB [options]

Protects the disks of a host's QEMU guests: serves them over NBD, and sends each write to a hub (see rephub).

Verbs:
${verbRows(verbs, width)}

Options:
${optionRows(options, width)}

An image's format is never guessed: who writes a raw disk could write what looks like a qcow2 that names other files.
SOCK is a unix socket's path.

Exit status:
${exitStatusRows(exitStatuses)}

Example:
  repagent protect web root=/srv/web.img --hub 10.0.0.2:7900
  qemu-system-x86_64 -drive 'file=nbd+unix:///web/root?socket=/run/repagent/web.root.sock,format=raw' …
  repagent protect db root=drive0 --qmp /run/db.qmp --every 5s --hub 10.0.0.2:7900
  repagent checkpoint web before-upgrade
`
}

const width = 28
