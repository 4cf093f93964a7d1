import { setTimeout as delay } from 'node:timers/promises'
import { QmpError } from '../../qmp/qmp-error.js'
import { ColoError } from '../colo-error.js'

/** A pair, for who keeps it protected. */
export interface KeptPair {
  isProtected: () => boolean
  protect: () => Promise<void>
  checkpoint: () => Promise<unknown>
  /** Hears of a failure, and after how many milliseconds it is tried again. */
  onRetry: (why: string, after: number) => void
}

export interface KeepOptions {
  /** The time between two checkpoints, in milliseconds. */
  every: number
  signal?: AbortSignal | undefined
}

const firstRetry = 500
const longestRetry = 60_000

/**
 * Takes checkpoints, and protects again whenever something failed. Each failure doubles the time until the next try.
 *
 * @throws what does not go away by itself
 */
export async function keepProtected(pair: KeptPair, { every, signal }: KeepOptions): Promise<void> {
  let after = firstRetry
  for (let next = performance.now(); !signal?.aborted; ) {
    try {
      if (!pair.isProtected()) await pair.protect()
      await pair.checkpoint()
      after = firstRetry
      next = Math.max(next + every, performance.now())
      await pause(next - performance.now(), signal)
    } catch (error) {
      if (signal?.aborted) return
      if (!isPassing(error)) throw error
      pair.onRetry((error as Error).message, after)
      await pause(after, signal)
      after = Math.min(after * 2, longestRetry)
    }
  }
}

/** What may go away by itself: a connection, a job, a secondary that is not there yet. */
const isPassing = (error: unknown): boolean =>
  error instanceof QmpError || (error instanceof ColoError && ['degraded', 'not-proved', 'record'].includes(error.code))

const pause = (time: number, signal: AbortSignal | undefined): Promise<void> =>
  delay(Math.max(0, time), undefined, { signal }).catch(() => {})
