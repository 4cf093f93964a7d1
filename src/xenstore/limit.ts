import { onAbort } from './on-abort.js'
import type { RequestOptions } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

/** Why something is given up before its end. */
export interface GivenUp {
  code: 'ETIMEDOUT' | 'ECANCELED'
  why: string
  cause?: unknown
}

/** What timers can count to; longer is for ever. */
const longestTimeout = 0x7fff_ffff

/**
 * Calls `giveUp` when the signal is aborted or the time is up, whichever is first; at once where the signal is aborted
 * already. What it returns ends the waiting, and must be called.
 *
 * @throws XenstoreError EINVAL where the timeout is no number of milliseconds
 */
export function limit({ signal, timeout }: RequestOptions, giveUp: (reason: GivenUp) => void): () => void {
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new XenstoreError('EINVAL', `a timeout is a number of milliseconds, not ${String(timeout)}`)
  }
  if (signal?.aborted) {
    giveUp(canceled(signal))
    return () => {}
  }
  const stop = () => {
    if (timer !== undefined) clearTimeout(timer)
    unlisten?.()
  }
  const unlisten =
    signal &&
    onAbort(signal, () => {
      stop()
      giveUp(canceled(signal))
    })
  const timer =
    timeout === undefined || timeout > longestTimeout
      ? undefined
      : setTimeout(() => {
          stop()
          giveUp({ code: 'ETIMEDOUT', why: `not done within ${timeout} ms` })
        }, timeout)
  return stop
}

const canceled = (signal: AbortSignal): GivenUp => ({
  code: 'ECANCELED',
  why: 'its signal was aborted',
  cause: signal.reason,
})
