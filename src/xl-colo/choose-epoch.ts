import type { PairStatus } from '../colo/pair-status.js'
import type { DiskRecord, RecordedState } from '../colo/records/disk-record.js'

/**
 * The number of a protection for which none was given: that of the one which is there or was begun, where nobody has taken over
 * since; else one above all that were found.
 */
export function epochOfProtection({ primary, secondary, epoch }: PairStatus): number {
  const here = primary.sight?.disks ?? []
  const there = secondary.sight?.disks ?? []
  const isGoneOnWith =
    epoch > 0 &&
    here.length > 0 &&
    here.every(({ role, record }) => role === 'primary' && isOf(record, epoch, ['alone', 'replicated'])) &&
    there.every(({ role, record }) => role === 'secondary' && isOf(record, epoch, followers))
  return isGoneOnWith ? epoch : epoch + 1
}

/** The number of a take-over for which none was given: that of the one which was begun, else one above all that were found. */
export function epochOfTakeOver({ secondary, epoch }: PairStatus): number {
  const there = secondary.sight?.disks ?? []
  const isGoneOnWith =
    there.length > 0 &&
    secondary.sight?.epoch === epoch &&
    // with all of them the guest's, it was done (run-failover.ts)
    there.every(({ record }) => isOf(record, epoch, ['failing-over', 'alone']))
  return isGoneOnWith ? epoch : epoch + 1
}

const followers = ['syncing', 'replicating', 'outdated'] as const

const isOf = (record: DiskRecord | undefined, epoch: number, states: readonly RecordedState[]): boolean =>
  record?.epoch === epoch && states.includes(record.state)
