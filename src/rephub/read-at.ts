import { parseTime } from '../amounts.js'
import { UsageError } from '../command-line/usage-error.js'
import { isName } from '../replication/name.js'

/** A moment of a group: the newest one, one by its time (in microseconds since 1970), by a checkpoint's name, or by its position. */
export type At = { newest: true } | { time: number } | { name: string } | { position: number }

/** A date and a time of ISO 8601, with its zone; seconds may have a fraction. */
const moment = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/

/** Reads `--at`: 2026-11-27T12:00:00.5Z, 3s-ago, #1234, or a checkpoint's name. @param now in milliseconds since 1970 @throws UsageError */
export function readAt(text: string | undefined, now: number): At {
  if (text === undefined) return { newest: true }
  const time = timeOf(text, now)
  if (time !== undefined) return { time }
  const [, digits] = /^#(\d{1,15})$/.exec(text) ?? []
  if (digits !== undefined) return { position: Number(digits) }
  if (isName(text)) return { name: text }
  throw new UsageError(
    `--at takes a time (2026-11-27T12:00:00Z), how long ago (3s-ago), a checkpoint's name or a position (#1234), not '${text}'`,
  )
}

/** Reads an option that takes a time only, in microseconds since 1970. @param now in milliseconds since 1970 @throws UsageError */
export function readTimeAt(option: string, text: string, now: number): number {
  const time = timeOf(text, now)
  if (time !== undefined && time >= 0) return time
  throw new UsageError(`${option} takes a time (2026-11-27T12:00:00Z) or how long ago (3s-ago), not '${text}'`)
}

function timeOf(text: string, now: number): number | undefined {
  const [, seconds, fraction = '', zone] = moment.exec(text) ?? []
  if (seconds !== undefined) {
    const time = Date.parse(`${seconds}${zone}`)
    if (!Number.isNaN(time)) return time * 1000 + Number(fraction.padEnd(6, '0'))
  }
  const ago = text.endsWith('-ago') ? parseTime(text.slice(0, -'-ago'.length)) : undefined
  return ago === undefined ? undefined : Math.round((now - ago) * 1000)
}

/** A time of the hub's, in microseconds since 1970, as `--at` takes it. */
export function timeText(time: number): string {
  const milliseconds = Math.floor(time / 1000)
  const rest = String(time - milliseconds * 1000).padStart(3, '0')
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${rest}Z`
}
