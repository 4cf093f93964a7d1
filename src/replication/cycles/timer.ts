/** Calls back once after so many milliseconds. What it returns takes that back. */
export type Timer = (milliseconds: number, then: () => void) => () => void

export const usualTimer: Timer = (milliseconds, then) => {
  const timer = setTimeout(then, milliseconds)
  return () => clearTimeout(timer)
}
