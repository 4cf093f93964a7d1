import * as z from 'zod'
import { parseBytes, parseTime } from '../../amounts.js'
import { longestTimeout } from '../../link/limits.js'

/** A number of bytes: 512, 50M, 2G. */
export const bytes = z.union([z.string(), z.int()]).transform((given, context) => {
  const read = parseBytes(String(given))
  if (read !== undefined) return read
  context.addIssue({ code: 'custom', message: `a number of bytes, such as 50M or 2G, not '${given}'` })
  return z.NEVER
})

const aTime = 'a time, such as 200ms, 5s, 12h or 7d'

/** A time, such as 200ms, 5s, 12h or 7d, in milliseconds. A number without a unit is none. */
export const time = z.union([z.string(), z.number()], { error: aTime }).transform((given, context) => {
  const read = parseTime(String(given))
  if (read !== undefined) return read
  context.addIssue({ code: 'custom', message: `${aTime}, not '${given}'` })
  return z.NEVER
})

/** A time that a timer waits for: a longer one would be over at once. */
export const waited = time.refine(given => given <= longestTimeout, { error: 'a time of at most 24d' })
