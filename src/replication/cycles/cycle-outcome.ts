import type { WholeVolume } from './cycle-target.js'
import type { DiskProblem } from './disk-problem.js'

/** What became of a cycle. */
export type CycleOutcome =
  | {
      kind: 'settled'
      cycle: number
      /** The cycle whose bitmap is the difference to the hub now: to be kept, for `held`. An idle cycle begins no bitmap. */
      held: number
      /** Its moment, in microseconds since 1970. */
      time: number
      /** How much was written or zeroed at the target. */
      bytes: number
      whole: readonly WholeVolume[]
      /** How long the copy took, in which the guest may have waited for the target, and how long the hub, in milliseconds. */
      took: { copy: number; hub: number }
      /** What could not be taken away, in sentences. */
      left: readonly string[]
    }
  | {
      kind: 'failed'
      cycle: number
      /** Where: at a look at QEMU, with its bitmaps, its nodes for the target, the copy, or the hub. */
      step: 'look' | 'bitmaps' | 'target' | 'copy' | 'hub'
      why: string
      left: readonly string[]
    }
  /** Something has to be done first. */
  | { kind: 'blocked'; problems: readonly DiskProblem[] }
  /** The one before is still under way. */
  | { kind: 'skipped'; why: string }

/** What a runner tells unasked. */
export type CycleEvent =
  | { type: 'begun'; cycle: number; whole: readonly WholeVolume[] }
  /** All of it is at the target, and the guest waits for nothing any more; the hub has it not yet. */
  | { type: 'copied'; cycle: number; bytes: number }
  /** The target is cut off, as the guest may wait for it. */
  | { type: 'cut'; cycle: number; why: string }
  | { type: 'outcome'; outcome: CycleOutcome }
  /** All that there are now, whenever they change. */
  | { type: 'problems'; problems: readonly DiskProblem[] }
