import type { BlockView, ViewedNode } from '../../qmp/block-view.js'
import { activeNode, topNode } from './node-names.js'

/** What a secondary's block graph shows of a disk. */
export type SecondaryState =
  /** There is no such disk, or no replication stands on it. */
  | { kind: 'missing' }
  /** Its overlays stand ready; nothing of the primary's is kept apart. */
  | { kind: 'ready'; overlays: Overlays; image: ViewedNode }
  /** What the primary writes through `door` goes into the disk, and what was there before into the hidden overlay. */
  | { kind: 'replicating'; overlays: Overlays; image: ViewedNode; door: ViewedNode }
  /** The guest's own writes are being written into the disk. */
  | { kind: 'failing-over'; overlays: Overlays; image: ViewedNode }
  /** Nothing is kept apart any more, nor written into the disk: it holds what the primary wrote since the last checkpoint. */
  | { kind: 'stopped'; overlays: Overlays; image: ViewedNode }
  /** The disk is the guest's: it stands on no overlay any more. */
  | { kind: 'failed-over'; top: string; image: ViewedNode }

/** The nodes above a secondary's disk. */
export interface Overlays {
  /** The replication node, on which the guest's device stands. */
  top: string
  active: OverlayNode
  hidden: OverlayNode
}

export interface OverlayNode {
  nodeName: string
  file: string
  actualSize: number | undefined
  virtualSize: number
}

/**
 * Reads a disk's state on the secondary; `name` is its node-name, or its drive's id, or those that it had as a primary's, before
 * `becomeSecondary`.
 */
export function secondaryState(view: BlockView, name: string): SecondaryState {
  const rebuilt = view.node(topNode(name))
  if (rebuilt !== undefined) return below(view, rebuilt, ({ nodeName }) => nodeName === activeNode(name))
  const disk = view.disk(name)
  if (disk === undefined) return { kind: 'missing' }
  const image = belowFilter(view, disk)
  const isOverlay = ({ id }: ViewedNode) => id !== image.id
  for (const { as, node } of view.parents(image.id)) {
    if (as === 'file' && node.driver === 'replication') return below(view, node, isOverlay)
    if (as !== 'backing') continue
    for (const { as, node: active } of view.parents(node.id)) {
      if (as !== 'backing') continue
      // a commit puts its filter between
      const upper = aboveFilter(view, active)
      const top = view.parents(upper.id).find(({ as, node }) => as === 'file' && node.driver === 'replication')?.node
      if (top !== undefined) return below(view, top, isOverlay)
    }
  }
  return { kind: 'missing' }
}

/** What stands below a replication node: the overlays, or the image alone, which may have a backing file of its own. */
function below(view: BlockView, top: ViewedNode, isOverlay: (node: ViewedNode) => boolean): SecondaryState {
  const upper = view.child(top.id, 'file')
  if (upper === undefined) return { kind: 'missing' }
  const isCommitting = upper.driver === 'mirror_top'
  const active = isCommitting ? view.child(upper.id, 'backing') : upper
  if (active === undefined) return { kind: 'missing' }
  if (!isOverlay(active)) return { kind: 'failed-over', top: top.nodeName, image: active }
  const hidden = view.child(active.id, 'backing')
  if (hidden === undefined) return { kind: 'missing' }
  const held = view.child(top.id, 'secondary disk')
  const backing = view.child(hidden.id, 'backing')
  if (backing === undefined) return { kind: 'missing' }
  const image = belowFilter(view, backing)
  const overlays = { top: top.nodeName, active: overlay(active), hidden: overlay(hidden) }
  if (held === undefined) return { kind: 'ready', overlays, image }
  if (held.driver === 'copy-before-write') return { kind: 'replicating', overlays, image, door: held }
  return { kind: isCommitting ? 'failing-over' : 'stopped', overlays, image }
}

const overlay = ({ nodeName, file, actualSize, virtualSize }: ViewedNode): OverlayNode => ({
  nodeName,
  file,
  actualSize,
  virtualSize,
})

/** A drive's id leads to the filter that keeps apart what the primary writes. */
const belowFilter = (view: BlockView, node: ViewedNode): ViewedNode =>
  node.driver === 'copy-before-write' ? (view.child(node.id, 'file') ?? node) : node

const aboveFilter = (view: BlockView, node: ViewedNode): ViewedNode =>
  view.parents(node.id).find(({ node: { driver } }) => driver === 'mirror_top')?.node ?? node
