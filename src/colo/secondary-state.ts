import type { BlockView, ViewedNode } from './block-view.js'

/** What a secondary's block graph shows of a disk. */
export type SecondaryState =
  /** There is no such disk, or no replication stands on it. */
  | { kind: 'missing' }
  /** Its overlays stand ready; nothing of the primary's is kept apart. */
  | { kind: 'ready'; overlays: Overlays }
  /** What the primary writes goes into the disk, and what was there before into the hidden overlay. */
  | { kind: 'replicating'; overlays: Overlays }
  /** The guest's own writes are being written into the disk. */
  | { kind: 'failing-over'; overlays: Overlays }
  /** Nothing is kept apart any more, nor written into the disk: it holds what the primary wrote since the last checkpoint. */
  | { kind: 'stopped'; overlays: Overlays }
  /** The disk is the guest's: it stands on no overlay any more. */
  | { kind: 'failed-over' }

/** The nodes above a secondary's disk. */
export interface Overlays {
  /** The replication node, on which the guest's device stands. */
  top: string
  active: string
  hidden: string
}

/** Reads a disk's state on the secondary; `name` is its node-name, or its drive's id. */
export function secondaryState(view: BlockView, name: string): SecondaryState {
  const disk = view.disk(name)
  if (disk === undefined) return { kind: 'missing' }
  const base = belowFilter(view, disk)
  const above = view.parents(base.id)
  if (above.some(({ as, node }) => as === 'file' && node.driver === 'replication')) return { kind: 'failed-over' }

  for (const { as, node: hidden } of above) {
    if (as !== 'backing') continue
    for (const { as, node: active } of view.parents(hidden.id)) {
      if (as !== 'backing') continue
      // a commit puts its filter between
      const upper = aboveFilter(view, active)
      const top = view.parents(upper.id).find(({ as, node }) => as === 'file' && node.driver === 'replication')?.node
      if (top === undefined) continue
      const overlays = { top: top.nodeName, active: active.nodeName, hidden: hidden.nodeName }
      const held = view.child(top.id, 'secondary disk')
      if (held === undefined) return { kind: 'ready', overlays }
      if (held.driver === 'copy-before-write') return { kind: 'replicating', overlays }
      return { kind: upper === active ? 'stopped' : 'failing-over', overlays }
    }
  }
  return { kind: 'missing' }
}

/** A drive's id leads to the filter that keeps apart what the primary writes. */
const belowFilter = (view: BlockView, node: ViewedNode): ViewedNode =>
  node.driver === 'copy-before-write' ? (view.child(node.id, 'file') ?? node) : node

const aboveFilter = (view: BlockView, node: ViewedNode): ViewedNode =>
  view.parents(node.id).find(({ node: { driver } }) => driver === 'mirror_top')?.node ?? node
