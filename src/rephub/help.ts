import { exitStatusRows, optionRows, verbRows } from '../command-line/help-rows.js'
import { exitStatuses } from './exit-status.js'
import { options } from './option-table.js'
import { verbs } from './verbs.js'

/** What --help writes. */
export function helpText(): string {
  return `Usage: rephub VERB [options]

Keeps the copies of disks that agents protect (see repagent), write by write: any moment of them can be started.

Verbs:
${verbRows(verbs, width)}

Options:
${optionRows(options, width)}

WHEN is a time (2026-11-27T12:00:00Z) or how long ago (3s-ago); of --at also a checkpoint's name or a position (#1234).
SOCK is a unix socket's path.

Exit status:
${exitStatusRows(exitStatuses)}

Example:
  rephub serve --data /srv/rephub --listen 10.0.0.2:7900 --nbd /run/rephub/nbd.sock
  rephub test web --at 10m-ago --branch look
  mapfile -t disks < <(rephub arguments web look --form blockdev)
  qemu-system-x86_64 "\${disks[@]}" -device virtio-blk,drive=replica-0 …
  rephub discard web look
`
}

const width = 28
