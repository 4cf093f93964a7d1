import type { BlockBackend } from '../../nbd/block-backend.js'
import type { CycleStart } from './cycle-target.js'

/**
 * Takes the writes of a group's guest as they happen. Backends answer as soon as they have the data and never wait for the hub: the guest
 * waits for them. What they are handed is in order: of two writes to one place the later one has the last word, from whichever backend.
 */
export interface LiveTarget {
  /** From now on the replica is no moment of the guest's disks, until `settled`. */
  unsettled(reason: string, start: CycleStart): void
  /** Where the guest's own writes go. */
  live(volume: string): BlockBackend
  /** Where what differed before goes, without what the guest has written since. */
  backfill(volume: string): BlockBackend
  /** The replica is as the disks are. Settles when all that came until now is durable at the hub. */
  settled(): Promise<void>
  /** Settles when all that came until now is durable at the hub. */
  durable(): Promise<void>
  /** The guest's writes come here no more, and some may be lacking. */
  lost(reason: string): void
}
