import type { JournalLimits } from './journal-options.js'
import type { Segment } from './segment-store.js'

/** How many segments are folded at once: room comes back after each such step. */
const segmentsAtOnce = 8

export interface FoldQuestion {
  /** The oldest first. */
  segments: readonly Segment[]
  /** How many of them are sealed. */
  sealed: number
  /** All segments together, in bytes. */
  size: number
  limits: JournalLimits
  /** Of the newest record, in microseconds. */
  time: number
  /** By the journal's own clock; undefined where it has none. */
  now: number | undefined
  /** Nothing behind this position may be folded. */
  floor: number
}

/** The position that is to be folded up to, which is the end of a segment; undefined where nothing is to be folded. */
export function foldTarget({ segments, sealed, size, limits, time, now, floor }: FoldQuestion): number | undefined {
  const { bytes = Number.POSITIVE_INFINITY, hardBytes = Number.POSITIVE_INFINITY } = limits
  const { history = Number.POSITIVE_INFINITY } = limits
  let target: number | undefined
  let left = size
  for (const [index, { last, length, lastTime }] of segments.slice(0, Math.min(sealed, segmentsAtOnce)).entries()) {
    const isTooMuch = left > bytes || left >= hardBytes
    // the next one was begun when this one had ended
    const ended = segments[index + 1]?.begun
    const isOld = lastTime <= time - history && (now === undefined || ended === undefined || ended <= now - history)
    if (last > floor || !(isTooMuch || isOld)) break
    target = last
    left -= length
  }
  return target
}
