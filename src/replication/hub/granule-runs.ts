import { granuleSize } from '../wire/message.js'
import type { Run } from './journal-seam.js'

/** All of some runs, as runs of whole granules within a volume, in order and apart from each other. */
export function granuleRuns(size: number, runs: Iterable<Run>): Run[] {
  const found: { first: number; end: number }[] = []
  for (const { offset, length } of runs) {
    if (length <= 0 || offset < 0 || offset >= size) continue
    found.push({
      first: Math.floor(offset / granuleSize),
      end: Math.ceil(Math.min(size, offset + length) / granuleSize),
    })
  }
  found.sort((a, b) => a.first - b.first)
  const merged: { first: number; end: number }[] = []
  for (const run of found) {
    const last = merged.at(-1)
    if (last !== undefined && run.first <= last.end) last.end = Math.max(last.end, run.end)
    else merged.push({ ...run })
  }
  return merged.map(({ first, end }) => {
    const offset = first * granuleSize
    return { offset, length: Math.min(size, end * granuleSize) - offset }
  })
}

export const bytesOf = (runs: Iterable<Run>): number => {
  let bytes = 0
  for (const { length } of runs) bytes += length
  return bytes
}
