/** What timers can count to, 24 days: as good as for ever. A longer time would be over at once. */
const longest = 0x7fff_ffff

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
    if (!(limit >= 0)) throw new RangeError(`timeouts.${name} is a number of milliseconds, not ${String(limit)}`)
    limits[name] = Math.min(limit, longest)
  }
  return limits
}
