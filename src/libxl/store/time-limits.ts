import { longestTimeout, timeoutProblem } from '../../link/limits.js'

/**
 * How long things may take, in milliseconds: what the caller says, else the default.
 *
 * @throws RangeError for what is no number of milliseconds
 */
export function timeLimits<Name extends string>(
  defaults: Readonly<Record<Name, number>>,
  given: { readonly [Key in Name]?: number | undefined } = {},
): Record<Name, number> {
  const limits: Record<Name, number> = { ...defaults }
  for (const name of Object.keys(defaults) as Name[]) {
    const limit = given[name]
    if (limit === undefined) continue
    const problem = timeoutProblem(limit)
    if (problem !== undefined) throw new RangeError(`timeouts.${name}: ${problem}`)
    limits[name] = Math.min(limit, longestTimeout)
  }
  return limits
}
