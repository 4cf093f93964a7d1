import type { TransactionAction } from '../../qmp/commands/transaction.js'
import { removeBitmaps } from './leftovers.js'
import type { Monitors } from './monitors.js'
import { bitmapName, type Owner } from './names.js'
import { granularity } from './persistence.js'
import type { DiskPlan } from './plan-cycle.js'
import { viewGuest } from './view-guest.js'

/** A disk, as a cycle goes about it. */
export interface SentDisk extends DiskPlan {
  volume: string
  /** The node that has the bitmaps and is copied. */
  node: string
  /** Whether its image can keep bitmaps. */
  persistent: boolean
}

/** Begins a cycle's bitmaps, and marks the disks of which the hub holds no cycle. */
export const beginBitmaps = (owner: Owner, cycle: number, disks: readonly SentDisk[]): TransactionAction[] =>
  disks.flatMap(({ node, persistent, whole, isMarked }): TransactionAction[] => {
    const add = (number: number, disabled: boolean): TransactionAction => ({
      type: 'block-dirty-bitmap-add',
      data: { node, name: bitmapName(owner, number), granularity, persistent, disabled },
    })
    return [add(cycle, false), ...(whole !== undefined && !isMarked ? [add(0, true)] : [])]
  })

/** Removes what is of no use. @throws QmpError */
export const removeStale = (monitors: Monitors, disks: readonly SentDisk[]): Promise<void> =>
  removeBitmaps(
    monitors,
    disks.flatMap(({ node, stale }) => stale.map(name => ({ node, name }))),
  )

/** Removes the bitmaps that the cycle was sent by, now that the hub has it. @returns what is left, in a sentence */
export async function removeOlder(options: Monitors & Owner, disks: readonly SentDisk[]): Promise<string[]> {
  try {
    await removeBitmaps(
      options,
      disks.map(({ node, base }) => ({ node, name: base?.name ?? bitmapName(options, 0) })),
    )
    return []
  } catch (error) {
    return [`bitmaps that are not needed any more: ${(error as Error).message}`]
  }
}

/** Removes the bitmaps of a cycle that failed, where they were begun. @returns what is left, in a sentence */
export async function removeBegun(
  options: Monitors & Owner,
  cycle: number,
  disks: readonly Pick<SentDisk, 'node'>[],
): Promise<string[]> {
  const name = bitmapName(options, cycle)
  try {
    const view = await viewGuest(options.qmp)
    const begun = disks.filter(({ node }) => view.node(node)?.bitmaps.some(bitmap => bitmap.name === name))
    await removeBitmaps(
      options,
      begun.map(({ node }) => ({ node, name })),
    )
    return []
  } catch (error) {
    return [`the bitmaps of cycle ${cycle}: ${(error as Error).message}`]
  }
}
