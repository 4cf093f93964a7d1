import { bytesText } from '../command-line/bytes-text.js'
import { durationText } from '../command-line/duration-text.js'
import { progressText } from '../command-line/progress-text.js'
import { printable } from '../printable.js'
import { type ResyncReason, resyncText } from '../replication/agent/resync-reason.js'
import { momentText } from './moment-text.js'

/** A volume's state as an agent reports it. It may be of another version, or not to be trusted: nothing but the state's name is relied on. */
export interface ReportedState {
  readonly state: string
  readonly lag?: unknown
}

/** How a volume is protected, in a line. */
export function volumeText(reported: ReportedState): string {
  const { state } = reported
  const {
    since,
    bytes,
    left,
    seconds,
    lag,
    why: reason,
    reason: cause,
  }: Readonly<Record<string, unknown>> = { ...reported }
  const named = printable(state.slice(0, 64))
  const why = textOf(reason)
  switch (state) {
    case 'protected': {
      const { bytes: behind, seconds: late } = Object(lag)
      const size = sizeOf(behind) ?? 0
      return size === 0 ? named : `${named}, ${bytesText(size)} and ${durationText(sizeOf(late) ?? 0)} behind`
    }
    case 'syncing':
    case 'resyncing': {
      const all = sizeOf(bytes) ?? 0
      const secondsLeft = sizeOf(seconds)
      const progress = progressText({
        current: Math.max(0, all - (sizeOf(left) ?? 0)),
        total: all,
        secondsLeft: secondsLeft === undefined ? undefined : Math.ceil(secondsLeft),
      })
      return `${named} ${progress}${textOf(cause, reasonText)}`
    }
    case 'degraded':
    case 'paused':
      return `${named} since ${momentText(since)}, ${bytesText(sizeOf(bytes) ?? 0)} may differ${why}`
    case 'failed':
      return `FAILED${why}`
    default:
      return `${named}${why}`
  }
}

const sizeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY ? value : undefined

const textOf = (value: unknown, worded: (text: string) => string = text => text): string =>
  typeof value === 'string' && value !== '' ? ` (${printable(worded(value).slice(0, 1000))})` : ''

/** One that this command does not know stands for itself. */
function reasonText(name: string): string {
  const text: unknown = resyncText(name as ResyncReason)
  return typeof text === 'string' ? text : name
}
