import * as z from 'zod'
import { parseBytes, parseTime } from '../../amounts.js'

/** A number of bytes: 512, 50M, 2G. */
export const bytes = z.union([z.string(), z.int()]).transform((given, context) => {
  const read = parseBytes(String(given))
  if (read !== undefined) return read
  context.addIssue({ code: 'custom', message: `a number of bytes, such as 50M or 2G, not '${given}'` })
  return z.NEVER
})

/** A time, such as 200ms, 5s, 12h or 7d, in milliseconds. */
export const time = z.string().transform((given, context) => {
  const read = parseTime(given)
  if (read !== undefined) return read
  context.addIssue({ code: 'custom', message: `a time, such as 200ms, 5s, 12h or 7d, not '${given}'` })
  return z.NEVER
})
