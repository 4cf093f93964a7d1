import { type DiskSight, lookAt } from '../../colo/look.js'
import { becomeSecondary, type OverlayFiles } from '../../colo/rebuild/become-secondary.js'
import { writeRecord } from '../../colo/side.js'
import { failOver } from '../../colo/take-over/fail-over.js'
import { printable } from '../../printable.js'
import type { GuestHost } from './guest-host.js'

export interface GuestTakeOver {
  /** The number of the promotion. */
  number: number
  /** Take over also what may be older than the other node's. */
  force: boolean
  /** For all of it, in milliseconds. */
  timeout: number
}

/** For a single command of QEMU, in milliseconds. */
const commandTimeout = 10_000

/**
 * Makes a node's disks those of a primary, as of the last checkpoint or as they were. The guest does not run meanwhile. Gone on with when
 * called again.
 *
 * @throws Error where what they hold is not to be promoted; ColoError, QmpError
 */
export async function takeOverGuest(host: GuestHost, { number, force, timeout }: GuestTakeOver): Promise<void> {
  const { own, disks } = host
  const limits = { timeout: commandTimeout }
  const sight = await lookAt(own, disks, limits)
  const restored = new Map(sight.disks.flatMap(disk => overlaysToRestore(host, disk, force)))
  if (restored.size > 0) await becomeSecondary(own.qmp, { overlays: restored, ...limits })
  const isSecondary = ({ role, disk }: DiskSight) => role === 'secondary' || restored.has(disk)
  // looked at before the first of them is touched
  for (const disk of sight.disks) if (!isSecondary(disk)) refuseUnlessWhole(disk, force)
  const taken = sight.disks.filter(isSecondary).map(({ disk }) => disk)
  const reason = force ? { force: 'an operator says so (xl-cluster force)' } : {}
  if (taken.length > 0) await failOver({ secondary: own, disks: taken, epoch: number, ...reason, timeout })
  for (const { disk, image } of sight.disks)
    if (!taken.includes(disk))
      await writeRecord(own, image!.file, { disk, epoch: number, state: 'alone', why: 'it was promoted' }, limits)
}

/** A secondary's disk whose QEMU was started anew, as a primary's: what it lacks is in its overlays. */
function overlaysToRestore(
  host: GuestHost,
  { disk, role, record }: DiskSight,
  force: boolean,
): [string, OverlayFiles][] {
  if (role !== 'primary' || record === undefined) return []
  if (record.state === 'failing-over') return record.overlays === undefined ? [] : [[disk, record.overlays]]
  // what a killed QEMU left in them may be less than it had
  if (!force || (record.state !== 'replicating' && record.state !== 'outdated')) return []
  const files = host.overlaysOf(disk)
  return host.hasOverlays(files) ? [[disk, files]] : []
}

function refuseUnlessWhole({ disk, role, image, record, recordProblem }: DiskSight, force: boolean): void {
  const refuse = (why: string) => {
    throw new Error(`${printable(disk)} is not to be promoted: ${why}`)
  }
  if (role !== 'primary' || image === undefined) refuse('it is no disk of a COLO primary here')
  if (recordProblem !== undefined && !force) refuse(recordProblem)
  if (record === undefined) {
    if (!force) refuse('nothing is known of it; the first time, say which node counts (xl-cluster force)')
    return
  }
  if (record.state !== 'alone' && record.state !== 'replicated')
    refuse(`it is ${record.state} (${record.why}), and its QEMU was started anew`)
}
