import { jsonLine, printableJson } from '../command-line/json-line.js'
import { printable } from '../printable.js'
import type { BranchStatus } from '../replication/hub/group-status.js'
import type { BranchStart } from '../replication/hub/start-arguments.js'
import { ReplicationError } from '../replication/replication-error.js'
import { timeText } from './read-at.js'

/** How the start of a branch is said: its disks' URLs; QEMU's arguments; xl's disk specs; all of it as JSON. */
export const forms = ['url', 'blockdev', 'spec', 'json'] as const

export type Form = (typeof forms)[number]

/** A branch, as far as it is shown. */
export type ShownBranch = Pick<BranchStatus, 'name' | 'kind' | 'position' | 'pointTime'>

/** What a QEMU, or a guest of xl's, is started with. @throws ReplicationError where that cannot be said so */
export function startText(form: Form, group: string, branch: ShownBranch, start: BranchStart): string {
  switch (form) {
    case 'url':
      return [
        branchText(branch),
        ...start.volumes.map(({ volume, url }) => `  ${printable(volume)}: ${printable(url)}`),
      ]
        .map(line => `${line}\n`)
        .join('')
    case 'blockdev':
      // an argument a line: JSON has no other ones
      return start.arguments.map(argument => `${printableJson(argument)}\n`).join('')
    case 'spec':
      return start.volumes.map(volume => `${printable(specOf(volume))}\n`).join('')
    case 'json':
      return startJson(group, branch, start)
  }
}

/** `test nightly, as of 2026-11-27T12:00:00.000000Z (#1234)` */
export const branchText = ({ name, kind, position, pointTime }: ShownBranch): string =>
  `${kind} ${printable(name)}, as of ${timeText(pointTime)} (#${position})`

function startJson(group: string, { name, kind, position, pointTime }: ShownBranch, start: BranchStart): string {
  const volumes = start.volumes.map(({ disk = null, ...volume }) => ({ ...volume, disk }))
  return jsonLine({ group, branch: name, kind, position, time: pointTime, volumes, arguments: start.arguments })
}

function specOf({ volume, disk }: BranchStart['volumes'][number]): string {
  if (typeof disk === 'string') return disk
  throw new ReplicationError(
    'wrong-state',
    `no disk spec can say where ${volume} is: that can only be a unix socket, so have the hub serve NBD at one (nbd: PATH)`,
  )
}
