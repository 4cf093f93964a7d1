import type { WholeVolume } from './cycle-target.js'

/** Whether the guest's writes come to the hub as they happen. */
export type LiveState = 'apart' | 'catching up' | 'live'

/** What became of a catch-up, or of a rotation of the bitmaps. */
export type LiveOutcome =
  | {
      kind: 'live'
      /** The cycle in whose moment the bitmap was begun that has all that the hub may not have: to be kept, for `held`. */
      held: number
      /** What the backfill wrote, in bytes. */
      bytes: number
      whole: readonly WholeVolume[]
      /** What could not be taken away, in sentences. */
      left: readonly string[]
    }
  | { kind: 'failed'; step: 'look' | 'bitmaps' | 'live' | 'backfill' | 'hub'; why: string; left: readonly string[] }

export type LiveEvent =
  | { type: 'state'; state: LiveState; why?: string | undefined }
  /** The children are cut off, so that the guest goes on. */
  | { type: 'cut'; why: string }
