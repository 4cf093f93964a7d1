import { ExtentMap } from './extent-map.js'
import { readJson } from './journal-state.js'
import type { Rewind } from './lineage.js'
import { type NamedPoint, NamedPoints, namesAtMost } from './named-points.js'
import { isData, isZero, type RecordHeader } from './record.js'
import { RecordTable } from './record-table.js'

/** Where the content of an extent is: a record of the segment. */
export interface Place {
  /** Of the record in the segment, in bytes. */
  at: number
  /** The offset in the volume that the record's data begins at. */
  origin: number
  isZero: boolean
}

export interface Point {
  position: number
  time: number
}

/** Positions that follow each other with no moment between them at which the replica was not settled. */
export interface Span {
  from: Point
  to: Point
}

/** What is known of a segment without its records. */
export interface SegmentSummary {
  number: number
  first: number
  last: number
  /** Where the records end, in bytes. */
  length: number
  /** The earliest time of its points; undefined where it has none. */
  minTime: number | undefined
  /** Of its last record that has one. */
  lastTime: number
  /** When it was begun, by the journal's own clock; undefined where it has none. */
  begun?: number | undefined
  /** Its first span goes on where the last one of the segment before ended. */
  continues: boolean
  points: readonly NamedPoint[]
  rewinds: readonly Rewind[]
}

/** What a segment's records are, as they come: a table of them, the extents that they leave, its points. */
export class SegmentIndex {
  readonly table: RecordTable
  readonly extents = new Map<number, ExtentMap<Place>>()
  readonly spans: Span[] = []
  readonly points = new NamedPoints(namesAtMost)
  readonly rewinds: Rewind[] = []
  #minTime: number | undefined
  #lastTime: number
  #isInSpan = false
  readonly #begun: number | undefined
  #mayContinue: boolean
  #continues = false

  /** @param start what is known behind the record before  @param begun when, by the journal's own clock */
  constructor(first: number, start: { time: number; isSettled: boolean }, begun: number | undefined) {
    this.table = new RecordTable(first)
    this.#lastTime = start.time
    this.#mayContinue = start.isSettled
    this.#begun = begun
  }

  /** @param isOffered whether the state behind the record is a point */
  add(header: RecordHeader, payload: Uint8Array, at: number, isOffered: boolean): void {
    this.table.add(header, at, isOffered)
    const { kind, position, time } = header
    if (isData(kind)) this.#paint(header, at)
    if (kind === 'rewind') this.rewinds.push({ position, to: header.offset, time })
    if (kind === 'rewind' || kind === 'unsettled') {
      this.#isInSpan = false
      this.#mayContinue = false
    }
    if (kind === 'name' || (kind === 'point' && isOffered)) {
      const { name } = Object(readJson(payload))
      if (typeof name === 'string')
        this.points.add({ name, position: kind === 'name' ? header.offset : position, time })
    }
    if (kind !== 'name' && kind !== 'volume' && kind !== 'stream') this.#lastTime = time
    if (isOffered) this.#extendSpan({ position, time })
  }

  summary(number: number, length: number): SegmentSummary {
    const { first, count } = this.table
    return {
      number,
      first,
      last: first + count - 1,
      length,
      minTime: this.#minTime,
      lastTime: this.#lastTime,
      begun: this.#begun,
      continues: this.#continues,
      points: this.points.all,
      rewinds: this.rewinds,
    }
  }

  #paint(header: RecordHeader, at: number): void {
    const { volume, offset, length } = header
    const map = this.extents.get(volume) ?? new ExtentMap()
    this.extents.set(volume, map)
    map.paint(offset, offset + length, { at, origin: offset, isZero: isZero(header.kind) })
  }

  #extendSpan(point: Point): void {
    this.#minTime = Math.min(point.time, this.#minTime ?? point.time)
    if (this.#isInSpan) this.spans[this.spans.length - 1]!.to = point
    else {
      if (this.spans.length === 0) this.#continues = this.#mayContinue
      this.spans.push({ from: point, to: point })
      this.#isInSpan = true
    }
  }
}
