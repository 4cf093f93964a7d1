import type { JournalLimits } from './journal-options.js'
import type { Segment } from './segment-store.js'

/** How many segments are folded at once: room comes back after each such step. */
const segmentsAtOnce = 8

export interface FoldQuestion {
  /** The sealed ones, the oldest first. */
  segments: readonly Segment[]
  /** All segments together, in bytes. */
  size: number
  limits: JournalLimits
  /** Of the newest record, in microseconds. */
  time: number
  /** Nothing behind this position may be folded. */
  floor: number
}

/** The position that is to be folded up to, which is the end of a segment; undefined where nothing is to be folded. */
export function foldTarget({ segments, size, limits, time, floor }: FoldQuestion): number | undefined {
  const { bytes = Number.POSITIVE_INFINITY, hardBytes = Number.POSITIVE_INFINITY } = limits
  const { history = Number.POSITIVE_INFINITY } = limits
  let target: number | undefined
  let left = size
  for (const { last, length, lastTime } of segments.slice(0, segmentsAtOnce)) {
    const isTooMuch = left > bytes || left >= hardBytes
    if (last > floor || !(isTooMuch || lastTime <= time - history)) break
    target = last
    left -= length
  }
  return target
}
