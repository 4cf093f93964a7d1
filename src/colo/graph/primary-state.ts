import { printable } from '../../printable.js'
import type { BlockView, ViewedNode } from '../../qmp/block-view.js'
import { quorumNode } from './node-names.js'

/** What a primary's block graph shows of a disk. No success of a command proves any of it. */
export type PrimaryState =
  /** There is no such disk. */
  | { kind: 'missing' }
  /** The disk is no quorum: it was not made to be replicated. */
  | { kind: 'no-quorum'; driver: string }
  /** Its writes go to its own image alone. */
  | ({ kind: 'alone' } & PrimaryDisk)
  /** Its writes go to a replica too. */
  | ({ kind: 'replicated'; replica: Replica } & PrimaryDisk)
  /** Its own image is gone from the quorum, there is more than one replica, or its guest writes elsewhere: not ours. */
  | { kind: 'foreign'; why: string }

export interface PrimaryDisk {
  quorum: string
  image: ViewedNode
  /** The filter of a block job that is under way on the quorum or its image: a copy of ours, or somebody's. */
  job: string | undefined
}

/** The quorum's child that sends writes to the secondary. */
export interface Replica {
  /** What it is to the quorum, such as `children.1`. */
  child: string
  /** The node that stands there: of `replication`, or an NBD client itself. */
  nodeName: string
  /** The NBD client below, which `yank` can cut. */
  nbdNode: string
}

/**
 * Reads a disk's state on the primary; `name` is the quorum's node-name or its drive's id, or those of the image below it, or those
 * that the disk had before `becomePrimary`.
 */
export function primaryState(view: BlockView, name: string): PrimaryState {
  const named = view.node(quorumNode(name)) ?? view.disk(name)
  if (named === undefined) return { kind: 'missing' }
  const disk =
    named.driver === 'quorum' ? named : view.parents(named.id).find(({ node }) => node.driver === 'quorum')?.node
  if (disk === undefined) return { kind: 'no-quorum', driver: named.driver }
  const replicas: Replica[] = []
  const images: ViewedNode[] = []
  for (const { name: child, node } of view.children(disk.id)) {
    const nbd = nbdBelow(view, node)
    if (nbd === undefined) images.push(node)
    else replicas.push({ child, nodeName: node.nodeName, nbdNode: nbd.nodeName })
  }
  const [above, second] = images
  if (above === undefined) return { kind: 'foreign', why: 'its own image is no child of the quorum' }
  if (second !== undefined) return { kind: 'foreign', why: 'the quorum has two images of its own' }
  if (replicas.length > 1) return { kind: 'foreign', why: 'the quorum has two replicas' }
  let top = disk
  let job: string | undefined
  for (const { node } of view.parents(disk.id)) {
    if (!jobFilters.has(node.driver))
      return {
        kind: 'foreign',
        why: `${printable(node.driver)} stands on it, a snapshot maybe, which is not replicated`,
      }
    top = node
    job = node.driver
  }
  if (!view.hasUser(top.id)) return { kind: 'foreign', why: "no device of the guest's stands on it" }
  const image = belowJobs(view, above)
  if (image !== above) job = above.driver
  const [replica] = replicas
  const found = { quorum: disk.nodeName, image, job }
  return replica === undefined ? { kind: 'alone', ...found } : { kind: 'replicated', replica, ...found }
}

const jobFilters: ReadonlySet<string> = new Set(['mirror_top', 'copy-before-write', 'commit_top', 'copy-on-read'])

/** The NBD client that a node is, or that the replication driver stands on. */
function nbdBelow(view: BlockView, node: ViewedNode): ViewedNode | undefined {
  if (node.driver === 'nbd') return node
  const below = node.driver === 'replication' ? view.child(node.id, 'file') : undefined
  return below?.driver === 'nbd' ? below : undefined
}

/** A copy that is under way puts its filter above the image. */
const belowJobs = (view: BlockView, node: ViewedNode): ViewedNode =>
  jobFilters.has(node.driver) ? (view.child(node.id, 'file') ?? view.child(node.id, 'backing') ?? node) : node
