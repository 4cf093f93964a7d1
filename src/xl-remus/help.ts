import { exitStatusRows, optionRows, verbRows } from '../command-line/help-rows.js'
import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: xl-remus VERB [options]

Keeps a guest's disk on two machines, by protocol D: checkpoint by checkpoint, in user space, for QEMU over NBD.

Verbs:
${verbRows(verbs, width)}

Options:
${optionRows(options, width)}

SOCK is a unix socket's path. HOST:PORT may also be a unix socket's path.

Exit status:
${exitStatusRows(exitStatuses)}

Example, on one machine of two; the other has --connect:
  xl-remus create /srv/g.img --size 20G --pair-file /etc/g.pair
  xl-remus serve /srv/g.img --pair-file /etc/g.pair --listen 10.0.0.1:7800 --nbd /run/g.nbd --control /run/g.ctl
  xl-remus promote --force --control /run/g.ctl
`
}

const width = 34
