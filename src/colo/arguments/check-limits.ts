import { checkLimits, checkTimeout, outOfRange, wrongType } from '../../check-argument.js'
import { longestTimeout } from '../../link/limits.js'

/** Options with a signal and a time limit, or none. */
export function checkLimited(options: unknown): void {
  checkLimits(options)
  checkTimeout('timeout', (options as { timeout?: unknown } | undefined)?.timeout)
}

/** A timer of a longer time would be over at once. */
export function checkPeriod(name: string, value: unknown): void {
  const expected = `a number of milliseconds above 0 and up to ${longestTimeout}`
  if (typeof value !== 'number') throw wrongType(name, expected, value)
  if (!(value > 0 && value <= longestTimeout)) throw outOfRange(name, expected, value)
}
