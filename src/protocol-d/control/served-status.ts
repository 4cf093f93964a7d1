import type { NodeStatus } from '../machine/node-status.js'
import type { LeaseStatus } from './lease-status.js'

/** What a node that is served says of itself. Sizes are in bytes. */
export interface ServedStatus extends NodeStatus {
  /** Of the disk. */
  size: number
  /** What waits to be sent to the peer. */
  unsent: number
  /** So much that the guest's writes wait. */
  isCongested: boolean
  /** Why the peer is not connected. */
  whyLost: string
  /** Why the arbiter does not let it go on alone; '' where it was not asked, or does. */
  whyNotAlone: string
  /** How many NBD clients there are. */
  clients: number
  /** The export's URL; it is there while the node is Primary. */
  url: string
  /** Where the peer connects to; undefined where this node connects. */
  listens: string | undefined
  /** The lease under which it is served; undefined where it is under none. */
  lease: LeaseStatus | undefined
}
