import { type Limits, longestTimeout, timeoutProblem } from './limits.js'
import { lookOnceMore } from './look-once-more.js'
import { onAbort } from './on-abort.js'

/** Why something ends before it is done. */
export interface Over {
  code: 'ETIMEDOUT' | 'ECANCELED'
  why: string
  /** The signal's reason. */
  cause?: unknown
  /** A timer ended it, be it that of `AbortSignal.timeout`: nobody said that the outcome is not wanted any more. */
  byTimer: boolean
}

/** A running limit; disposing it ends the waiting, and has to be done. */
export type Deadline = Disposable

/** A timer that fires later than this, in milliseconds, found the process busy. */
const busyAfter = 10
/** What is given back to a process that was busy, in milliseconds: as long as it was late, and long enough for a few answers. */
const grace = (late: number, timeout: number): number => Math.max(late, Math.min(timeout, 1000))
/** How often time is given back: a process that is busy again and again has to end its waiting some day. */
const gracesAtMost = 2

/**
 * Calls `over` once, when the signal is aborted or the time is up, whichever is first; at once where the signal is aborted
 * already.
 *
 * Late is not never: time in which this process could not look (its event loop was busy, it was stopped) is given back, and
 * before `over` all that has arrived is handled, so that an answer which is there disposes the deadline. A signal acts at
 * once, but for that of `AbortSignal.timeout`: there too what has arrived is handled first.
 *
 * @throws RangeError where the timeout is no number of milliseconds
 */
export function deadline({ signal, timeout }: Limits, over: (why: Over) => void): Deadline {
  const problem = timeoutProblem(timeout)
  if (problem !== undefined) throw new RangeError(problem)
  if (signal?.aborted) {
    over(canceled(signal))
    return nothingToEnd
  }
  return new RunningDeadline(signal, timeout, over)
}

class RunningDeadline implements Deadline {
  readonly #signal: AbortSignal | undefined
  readonly #timeout: number
  readonly #over: (why: Over) => void
  readonly #unlisten: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopLooking: (() => void) | undefined
  #graces = 0
  #due = 0

  constructor(signal: AbortSignal | undefined, timeout: number | undefined, over: (why: Over) => void) {
    this.#signal = signal
    this.#timeout = timeout ?? Number.POSITIVE_INFINITY
    this.#over = over
    this.#unlisten = signal && onAbort(signal, () => this.#aborted())
    if (this.#timeout <= longestTimeout) this.#wait(this.#timeout)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#unlisten?.()
    this.#stopLooking?.()
  }

  #wait(time: number): void {
    this.#due = performance.now() + time
    this.#timer = setTimeout(() => this.#fired(), time)
  }

  #fired(): void {
    const late = performance.now() - this.#due
    if (late > busyAfter && this.#graces < gracesAtMost) {
      this.#graces++
      this.#wait(grace(late, this.#timeout))
    } else {
      this.#lookThenEnd({ code: 'ETIMEDOUT', why: `not done within ${this.#timeout} ms`, byTimer: true })
    }
  }

  #aborted(): void {
    const why = canceled(this.#signal!)
    if (why.byTimer) this.#lookThenEnd(why)
    else this.#end(why)
  }

  #lookThenEnd(why: Over): void {
    this.#stopLooking ??= lookOnceMore(() => this.#end(why))
  }

  #end(why: Over): void {
    this[Symbol.dispose]()
    this.#over(why)
  }
}

const canceled = (signal: AbortSignal): Over => ({
  code: 'ECANCELED',
  why: 'its signal was aborted',
  cause: signal.reason,
  byTimer: isTimeout(signal.reason),
})

/** The reason of `AbortSignal.timeout`: a timer's word, which comes before what has arrived. */
const isTimeout = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'TimeoutError'

const nothingToEnd: Deadline = { [Symbol.dispose]() {} }
