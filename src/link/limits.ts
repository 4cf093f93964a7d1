/** How long something may take. */
export interface Limits {
  /** Cancels it. */
  signal?: AbortSignal | undefined
  /** In milliseconds; without it, indefinitely. */
  timeout?: number | undefined
}

/** The longest that a timer counts to, 24 days; a longer time would be over at once. */
export const longestTimeout = 0x7fff_ffff

/** Says what is wrong with a time limit; undefined where it is a number of milliseconds, or absent. */
export const timeoutProblem = (timeout: unknown): string | undefined =>
  timeout === undefined || (typeof timeout === 'number' && timeout >= 0)
    ? undefined
    : `a timeout is a number of milliseconds, not ${String(timeout)}`
