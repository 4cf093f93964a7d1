import type { SyncPlan } from '../copy/sync-plan.js'
import type { DiskState, LastCheckpoint } from '../disk-state.js'
import type { OverlayFill } from '../overlay-fill.js'

/** What happens to a pair. */
export type PairEvent =
  /** What has to be copied to the secondary, and why. */
  | { type: 'plan'; disk: string; plan: SyncPlan }
  /** How far a copy is, in bytes. */
  | { type: 'progress'; disk: string; current: number; total: number; secondsLeft: number | undefined }
  /** A disk is in another state than before. */
  | { type: 'state'; disk: string; state: DiskState }
  | { type: 'checkpoint'; checkpoint: LastCheckpoint; pause: number }
  /** An overlay's file system is nearly full: a write of either guest will fail when it is. */
  | { type: 'filling'; disk: string; fill: OverlayFill }
  /** The secondary is cut off, so that the primary's guest goes on. */
  | { type: 'cut'; why: string }
  /** Protecting again failed; it is tried again after so many milliseconds. */
  | { type: 'retry'; why: string; after: number }
