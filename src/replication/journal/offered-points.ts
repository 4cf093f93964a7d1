import { isAlive, type Rewind } from './lineage.js'
import type { Point, Span } from './segment-index.js'
import type { Segment, SegmentStore } from './segment-store.js'

/** What a journal knows of its points. */
export interface PointsParts {
  store: SegmentStore
  rewinds: readonly Rewind[]
  /** The last durable position. */
  last: number
  /** Nothing before it is offered. */
  low: number
  /** The position that the images hold, if it is a point that is offered. */
  base: Point | undefined
}

/** Segments that hold offered positions, the newest first. */
function* newestFirst({ store, low }: PointsParts): Generator<Segment, void, undefined> {
  const { all } = store
  for (let index = all.length - 1; index >= 0 && all[index]!.last >= low; index--) yield all[index]!
}

export function isOffered(parts: PointsParts, position: number): boolean {
  const { store, rewinds, last, low, base } = parts
  if (position < low || !isAlive(position, last, rewinds)) return false
  if (position === base?.position) return true
  const segment = store.holding(position)
  return segment !== undefined && store.table(segment).isOffered(position)
}

/** The time of an offered position. */
export function timeAt({ store, base }: PointsParts, position: number): number {
  const segment = store.holding(position)
  return segment === undefined ? base!.time : store.table(segment).time(position)
}

/** The largest offered position whose time is not later. */
export function findAt(parts: PointsParts, time: number): number | undefined {
  const { store, rewinds, last, low, base } = parts
  for (const segment of newestFirst(parts)) {
    if (segment.minTime === undefined || segment.minTime > time) continue
    const table = store.table(segment)
    for (let position = segment.last; position >= Math.max(segment.first, low); position--)
      if (table.isOffered(position) && table.time(position) <= time && isAlive(position, last, rewinds)) return position
  }
  return base !== undefined && base.time <= time ? base.position : undefined
}

/** The last offered position of each stretch of time of a length, in their order. A clock that goes back begins a new one. */
export function* pointsEvery(parts: PointsParts, every: number): Generator<Point, void, undefined> {
  const { store, rewinds, last, low } = parts
  let found: Point | undefined = parts.base
  for (const segment of store.all) {
    if (segment.last < low || segment.minTime === undefined) continue
    const table = store.table(segment)
    for (let position = Math.max(segment.first, low); position <= segment.last; position++) {
      if (!table.isOffered(position) || !isAlive(position, last, rewinds)) continue
      const time = table.time(position)
      if (found !== undefined && Math.floor(found.time / every) !== Math.floor(time / every)) yield found
      found = { position, time }
    }
  }
  if (found !== undefined) yield found
}

/** Positions that are offered, as ranges in which all moments are, in their order; no more of them than so many, the newest ones. */
export function settledRanges(parts: PointsParts, atMost = Number.POSITIVE_INFINITY): Span[] {
  const { store, low, base, rewinds, last } = parts
  const found: { segment: Segment; spans: readonly Span[]; isWhole: boolean }[] = []
  let count = 0
  for (const segment of newestFirst(parts)) {
    const all = store.spans(segment)
    const spans = all.length > atMost ? all.slice(-atMost) : all
    found.unshift({ segment, spans, isWhole: spans.length === all.length })
    count += spans.length
    if (count > atMost) break
  }
  const isAll = count <= atMost
  const ranges: Span[] = base === undefined || !isAll ? [] : [{ from: base, to: base }]
  for (const { segment, spans, isWhole } of found) {
    for (const [index, { from, to }] of spans.entries()) {
      const before = ranges.at(-1)
      const continues = index === 0 && isWhole && segment.continues && before !== undefined
      if (continues) before.to = to
      else if (from.position >= low) ranges.push({ from, to })
      else if (to.position >= low) ranges.push({ from: firstFrom(parts, segment, low), to })
    }
  }
  return ranges.flatMap(range => withoutUndone(range, rewinds, last)).slice(-atMost)
}

/** The first offered position of a segment from one on, in which there is one. */
function firstFrom({ store }: PointsParts, segment: Segment, low: number): Point {
  const table = store.table(segment)
  let position = low
  while (!table.isOffered(position)) position++
  return { position, time: table.time(position) }
}

/** A rewind ends a range; what it undid was at the range's end. */
function withoutUndone(range: Span, rewinds: readonly Rewind[], last: number): Span[] {
  let { to } = range
  for (const rewind of rewinds) {
    if (rewind.position > last || rewind.to >= to.position || rewind.position <= to.position) continue
    if (rewind.to < range.from.position) return []
    to = { position: rewind.to, time: rewind.time }
  }
  return [{ from: range.from, to }]
}
