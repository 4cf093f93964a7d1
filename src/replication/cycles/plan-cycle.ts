import type { DirtyBitmap } from '../../qmp/commands/query-named-block-nodes.js'
import type { WholeReason } from './cycle-target.js'
import { type Owner, readBitmapName } from './names.js'

/** By what a disk is sent, and which of its bitmaps are of no use any more. */
export interface DiskPlan {
  /** The bitmap that has all that the hub may not have; undefined where all of the disk is sent. */
  base: { name: string; cycle: number; count: number } | undefined
  /** Why all of it is sent. */
  whole: WholeReason | undefined
  /** Whether the mark is there that the hub holds no cycle yet. */
  isMarked: boolean
  /** Bitmaps of this group that are to be removed. */
  stale: readonly string[]
  /** The largest number of a cycle that a name of a bitmap has. */
  largest: number
}

/** What is known besides the bitmaps. */
export interface Knowledge {
  /** The last cycle that the hub has durably, where that is known. */
  held?: number | undefined
  /** That the hub does not hold what the bitmaps are the difference to. */
  isDistrusted: boolean
}

/**
 * Reads a disk's bitmaps.
 *
 * A cycle's bitmap marks what is written from the cycle's moment on: with the cycle durable at the hub, it is all that the hub lacks. It is
 * begun with the cycle, in one transaction with the backup of what the bitmap before it marks, and that one stays as it is (QEMU's
 * `bitmap-mode=never`) until the hub has the cycle durably; only then it is removed. So at every moment, whatever fails or dies:
 *
 * - between cycles there is one bitmap, of the last durable cycle;
 * - during a cycle, and while the hub has not said that it is durable, there are two, and the older one has all that the hub lacks;
 * - a cycle that fails is undone by removing the younger one. If that fails too, or the agent dies, the older one is used, and the younger
 *   one is removed then;
 * - where the removal of the older one fails after a durable cycle, both tell the truth; the younger one, if `held` says so, tells less.
 *
 * Nothing has to be merged, as the older one has all of the younger one. Nor is anything cleared: with `on-success` QEMU clears a bitmap
 * when its job succeeds, which it does before the hub has the data, and even where the link failed below a target that fails no write
 * of the guest's. A job's end says nothing here.
 *
 * While all of a disk is sent there is a mark besides, a disabled bitmap of the cycle 0, until the first durable cycle: by it an agent that
 * died meanwhile is not taken for one that had come through.
 *
 * A number of a cycle is never used twice, and `held` must be among those that are there: an image that was put back from elsewhere, with
 * bitmaps of its own time, is sent whole.
 */
export function planDisk(bitmaps: readonly DirtyBitmap[], owner: Owner, { held, isDistrusted }: Knowledge): DiskPlan {
  const group = bitmaps.flatMap(bitmap => {
    const own = readBitmapName(bitmap.name)
    return own?.group === owner.group ? [{ ...bitmap, ...own }] : []
  })
  const mine = group.filter(({ replica }) => replica === owner.replica).sort((a, b) => a.cycle - b.cycle)
  const largest = Math.max(0, ...mine.map(({ cycle }) => cycle))
  const whole = (reason: WholeReason, kept?: string): DiskPlan => ({
    base: undefined,
    whole: reason,
    isMarked: kept !== undefined,
    stale: group.map(({ name }) => name).filter(name => name !== kept),
    largest,
  })
  if (isDistrusted) return whole('distrusted')
  const [oldest] = mine
  if (oldest === undefined) return whole(held === undefined ? 'new' : 'bitmap missing')
  if (mine.some(({ inconsistent }) => inconsistent)) return whole('bitmap inconsistent')
  const base = held === undefined ? oldest : mine.find(({ cycle }) => cycle === held)
  if (oldest.cycle === 0 && (base === undefined || base === oldest)) return whole('unfinished', oldest.name)
  if (base === undefined) return whole('bitmap outdated')
  if (!base.recording) return whole('bitmap stopped')
  return {
    base: { name: base.name, cycle: base.cycle, count: base.count },
    whole: undefined,
    isMarked: false,
    stale: group.map(({ name }) => name).filter(name => name !== base.name),
    largest,
  }
}
