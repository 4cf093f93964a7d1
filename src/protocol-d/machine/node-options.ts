import type { AfterSplitBrain } from '../handshake.js'

/** How a node behaves. */
export interface NodeOptions {
  /** How many bytes of the epochs are kept in memory; what is above that is read from the log again. */
  memory: number
  /** How many extents may be active at a time. */
  activeExtents: number
  afterSplitBrain: AfterSplitBrain
  /** A Primary without a peer lets its guest's writes wait until it may go on alone (`goOnAlone`). */
  asksAlone: boolean
  /** Acknowledge checkpoints as the seed does, before they are durable: a node that crashes then has to be resynced. */
  acknowledgeFromMemory: boolean
}
