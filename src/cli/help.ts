import { optionRows } from '../command-line/help-rows.js'
import { options } from './option-table.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: xl-disk-parse [options] SPEC...          one disk; several words make up one
       xl-disk-parse [options] --config FILE    every disk of an xl domain configuration file
       xl-disk-parse [options] --batch          a spec a line on standard input
       xl-disk-parse --protect HUB [options] SPEC...   disks that a replication agent serves
       xl-disk-parse --apply --domid N SPEC...  attach to a running domain; also --config FILE
       xl-disk-parse --list --domid N           the disks of a running domain
       xl-disk-parse -N block-attach DOMID SPEC...   in the place of xl

Reads xl disk specifications as libxl does: a spec goes in; libxl's record, its xenstore
nodes or QEMU's arguments come out.

Options:
${optionRows(options, 28)}

The options of the guest, --domid to --offline, count for all forms but json and spec, and with
--protect for all; what --apply and --list do not take, they refuse. With --config, the file's own
settings stand in for those of them that are not given.

Exit status: 0; 1 if a disk was refused, a file could not be read or written, or xenstored was
not reached; 2 for wrong usage. --batch exits with 0 whatever it was given: each refusal is one
of its results.

Example:
  xl-disk-parse 'format=qcow2, vdev=xvda, access=rw, target=/images/guest.qcow2'
`
}
