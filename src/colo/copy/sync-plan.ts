import type { ViewedNode } from '../../qmp/block-view.js'
import { epochOf } from '../graph/node-names.js'
import type { DiskRecord } from '../records/disk-record.js'
import { changesOf, knowsChanges } from './dirty-changes.js'

/** How a secondary's disk is made equal to its primary's, and why so. */
export type SyncPlan =
  /** Nothing: the caller knows that they are equal. */
  | { kind: 'none'; why: string }
  /** What either side wrote since the last checkpoint of that epoch, by the dirty bitmap of that name. */
  | { kind: 'changes'; since: number; bitmap: string; why: string; also: 'nothing' | 'what the secondary wrote' }
  /** All of it. */
  | { kind: 'full'; why: string }

interface Source {
  image: ViewedNode
}

interface Target {
  image: ViewedNode
  record: DiskRecord | undefined
}

/**
 * Chooses what has to be copied. Two disks are equal but for known parts where both know what was written since the same checkpoint: by a
 * bitmap, or because the record says that nobody but the primary wrote.
 *
 * @param equal the caller's word that both are equal; it counts for disks of which nothing else is known
 */
export function planSync(source: Source, target: Target, equal = false): SyncPlan {
  const bitmaps = changesOf(source.image)
  const isNew = bitmaps.length === 0 && changesOf(target.image).length === 0 && target.record === undefined
  if (equal && isNew) return { kind: 'none', why: 'the caller says that they are equal' }
  for (const bitmap of bitmaps) {
    if (!knowsChanges(source.image, bitmap)) continue
    const since = epochOf(bitmap)!
    if (target.record?.since === bitmap)
      return {
        kind: 'changes',
        since,
        bitmap,
        also: 'nothing',
        why: `the secondary has a checkpoint of epoch ${since}`,
      }
    if (knowsChanges(target.image, bitmap)) {
      const why = `both sides know what they wrote since epoch ${since}`
      return { kind: 'changes', since, bitmap, also: 'what the secondary wrote', why }
    }
  }
  return { kind: 'full', why: whyFull(source, target, bitmaps) }
}

function whyFull(source: Source, { image, record }: Target, bitmaps: readonly string[]): string {
  if (record === undefined && changesOf(image).length === 0)
    return 'nothing is known of the secondary: no record, no dirty bitmap'
  if (bitmaps.length === 0)
    return 'what the primary wrote since is unknown: its QEMU has no dirty bitmap (it was started anew)'
  if (source.image.bitmaps.some(({ inconsistent }) => inconsistent))
    return 'what the primary wrote since is unknown: its QEMU was killed, and its dirty bitmap is inconsistent'
  if (!bitmaps.some(bitmap => knowsChanges(source.image, bitmap)))
    return 'what the primary wrote since is unknown: its dirty bitmap was switched off'
  if (image.bitmaps.some(({ inconsistent }) => inconsistent))
    return 'what the secondary wrote since is unknown: its QEMU was killed, and its dirty bitmap is inconsistent'
  if (record?.state === 'syncing') return 'an earlier copy to the secondary was not finished'
  return 'what the secondary wrote since is unknown: its QEMU was started anew or killed'
}
