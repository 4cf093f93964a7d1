import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { checkTakeOver } from '../arguments/check-take-over.js'
import { ColoError } from '../colo-error.js'
import { commandTimeout } from '../command-timeout.js'
import { endExports } from '../exports/secondary-exports.js'
import { guestOf, resumeAbandoned } from '../guest-control.js'
import { type DiskSight, lookAt, overlaysOf, type SideSight } from '../look.js'
import { refuseOldEpoch } from '../protect/plan-protection.js'
import { becomePrimary } from '../rebuild/become-primary.js'
import type { DiskRecord } from '../records/disk-record.js'
import { type Side, writeRecord } from '../side.js'
import { redoCommit } from './redo-commit.js'
import { takeOverDisks } from './take-over-disks.js'

export interface FailOverOptions {
  secondary: Side
  /** The disks, by their exports' names. */
  disks: readonly string[]
  /** The number of this take-over: above that of the protection. */
  epoch: number
  /** Takes over also what is outdated or unknown; its reason is recorded. Nothing makes a half-copied disk whole. */
  force?: string | undefined
  /** Hears how many of the disks are the guest's now. */
  onProgress?: ((done: number, all: number) => void) | undefined
  signal?: AbortSignal | undefined
  /** For all of it, in milliseconds; the commits of what the guest wrote included. */
  timeout?: number | undefined
}

/**
 * Has the secondary take over its disks as of the last checkpoint, with what its own guest wrote since, and records first that it does. The
 * primary must be dead, or kept from its disk: who is to be primary is not decided here. Gone on with when called again after
 * a crash, also one of the secondary's QEMU, when that was started anew as it was.
 *
 * @throws ColoError old-epoch, not-promotable, not-a-colo-disk, wrong-state, record, failover-failed; QmpError
 */
export async function failOver(options: FailOverOptions): Promise<void> {
  checkTakeOver(options)
  const { secondary, disks, epoch, force, onProgress, signal, timeout } = options
  const limits = { signal, timeout: commandTimeout }
  const sight = await lookAt(secondary, disks, limits)
  refuseOldEpoch(epoch, sight)
  for (const disk of sight.disks) refuseUnlessPromotable(disk, epoch, force)
  refuseSameEpoch(sight, epoch)
  const why = force === undefined ? 'it takes over' : `it takes over by force: ${force}`
  await recordTakeOver(secondary, sight, { epoch, why }, limits)
  if (sight.disks.some(({ secondary }) => secondary.kind === 'replicating')) {
    await endExports(secondary.qmp, () => limits)
    // to stop the guest writes out what QEMU keeps in its memory of its overlays; it stands still until they are of no use any more
    const guest = await guestOf({ qmp: secondary.qmp }, limits)
    await guest.stop(limits)
    // only now a QEMU that is killed leaves in the overlays all that it takes to go on
    await recordTakeOver(secondary, sight, { epoch, why, areOverlaysWhole: true }, limits)
  }
  const killed = sight.disks.filter(isKilled)
  if (killed.length > 0) await redo(options, killed, sight, limits)
  const left = sight.disks.filter(({ role, secondary }) => role === 'secondary' && secondary.kind !== 'ready')
  if (left.length > 0)
    await takeOverDisks(secondary.qmp, { disks: left.map(({ disk }) => disk), onProgress, signal, timeout })
  // from here on the guest may write: what the overlays hold is older
  for (const { disk, image } of sight.disks)
    await writeRecord(secondary, image!.file, { disk, epoch, state: 'alone', why: 'it took over' }, limits)
  await becomePrimary(secondary.qmp, { disks, ...limits })
  // it has the mark of who stopped it, this process or one that is gone
  await resumeAbandoned(secondary.qmp, limits)
}

/** Its QEMU was killed, in the middle of a take-over maybe: the overlays hold what the disk lacks. */
const isKilled = ({ secondary, role, record }: DiskSight): boolean =>
  secondary.kind === 'ready' || (role === 'none' && record?.state === 'failing-over')

/** The overlays of a secondary whose QEMU was killed hold what its disks lack. */
async function redo(
  { secondary, onProgress, disks }: FailOverOptions,
  killed: readonly DiskSight[],
  sight: SideSight,
  limits: Limits,
): Promise<void> {
  let done = disks.length - killed.length
  for (const { disk, record } of killed) {
    const overlays = record?.overlays ?? overlaysOf(sight, disk)
    if (overlays === undefined) {
      const why = `where the overlays of ${printable(disk)} are is not recorded: start its QEMU anew, as it was`
      throw new ColoError('not-promotable', why, { disk })
    }
    await redoCommit(secondary.qmp, disk, { overlays, ...limits })
    onProgress?.(++done, disks.length)
  }
}

async function recordTakeOver(
  secondary: Side,
  sight: SideSight,
  { epoch, why, areOverlaysWhole = false }: { epoch: number; why: string; areOverlaysWhole?: boolean },
  limits: Limits,
): Promise<void> {
  for (const { disk, image, record, role } of sight.disks) {
    if (image === undefined || role === 'primary' || record?.state === 'alone') continue
    const overlays = areOverlaysWhole ? overlaysOf(sight, disk) : record?.overlays
    await writeRecord(secondary, image.file, { disk, epoch, state: 'failing-over', why, overlays }, limits)
  }
}

/** @throws ColoError not-promotable, with what to do instead */
function refuseUnlessPromotable(sight: DiskSight, epoch: number, force: string | undefined): void {
  const { disk } = sight
  const problem = promotionProblem(sight, epoch)
  if (problem === undefined || (force !== undefined && problem.canBeForced)) return
  const instead = problem.canBeForced ? '; say so if it is to be taken over all the same (force)' : ''
  throw new ColoError('not-promotable', `${printable(disk)} ${problem.why}${instead}`, { disk })
}

/** @throws ColoError old-epoch for the number of a protection: a take-over has one of its own */
function refuseSameEpoch({ epoch: latest, disks }: SideSight, epoch: number): void {
  if (latest < epoch || disks.some(({ record }) => isTakenOver(record, epoch))) return
  throw new ColoError('old-epoch', `epoch ${epoch} is that of the protection: a take-over needs a number above it`)
}

/** Why a disk is not to be taken over; undefined where it holds the last checkpoint, as far as this side knows. */
export function promotionProblem(
  { role, secondary, record, recordProblem }: DiskSight,
  epoch: number,
): { why: string; canBeForced: boolean } | undefined {
  // it has its data; what may be left is to put the guest's device on it
  const isDone = record?.state === 'alone' && secondary.kind !== 'ready' && (record.epoch === epoch || role === 'none')
  if (isDone || secondary.kind === 'failed-over') return undefined
  if (record?.state === 'failing-over' && role !== 'primary' && record.overlays !== undefined) return undefined
  if (role === 'primary') return { why: 'is no secondary here, but a primary', canBeForced: false }
  if (secondary.kind === 'missing') return { why: 'is no disk of a COLO secondary here', canBeForced: false }
  if (secondary.kind === 'stopped')
    return {
      why: 'holds what the primary wrote after the last checkpoint: replication was stopped',
      canBeForced: false,
    }
  // its guest has written since: what the overlays hold is older, and is never written over it
  if (record?.state === 'alone')
    return { why: "was taken over: start its QEMU by a primary's arguments", canBeForced: false }
  // a QEMU that is killed takes with it what it had not written of its overlays' tables
  const killed = {
    why: 'was in an open epoch when its QEMU ended: if it was killed, its overlays may lack what undoes that',
    canBeForced: secondary.kind === 'ready',
  }
  switch (record?.state) {
    case 'replicating':
    case 'failing-over':
      return secondary.kind === 'replicating' || secondary.kind === 'failing-over' ? undefined : killed
    case 'syncing':
      return { why: `is half a copy (${record.why}): protect it again`, canBeForced: false }
    case 'outdated':
      return { why: `is outdated: ${record.why}`, canBeForced: secondary.kind === 'replicating' }
    default: {
      const unknown = recordProblem ?? 'nothing is recorded of it'
      return { why: `holds what nobody knows: ${unknown}`, canBeForced: secondary.kind === 'replicating' }
    }
  }
}

/** A take-over that is being gone on with. */
const isTakenOver = (record: DiskRecord | undefined, epoch: number): boolean =>
  record?.epoch === epoch && (record.state === 'failing-over' || record.state === 'alone')
