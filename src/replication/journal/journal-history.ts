import { ReplicationError } from '../replication-error.js'
import type { KeptPoint } from './base-file.js'
import { noSuchPoint } from './journal-error.js'
import { commonAncestor, isAlive, lineageOf, type PositionRange, type Rewind } from './lineage.js'
import type { NamedPoint, NamedPoints } from './named-points.js'
import { findAt, isOffered, type PointsParts, pointsEvery, settledRanges, timeAt } from './offered-points.js'
import type { RecordHeader } from './record.js'
import type { Point, Span } from './segment-index.js'
import type { Records } from './state-at.js'

/** What a journal offers of its past, by time, name or position: folding takes what is oldest, and a rewind what it undid. */
export class JournalHistory {
  readonly #records: Records
  readonly #rewinds: Rewind[]
  readonly #points: NamedPoints
  /** Rewinds that are not durable yet. */
  #rewinding: Rewind[] = []

  constructor(records: Records, rewinds: Rewind[], points: NamedPoints) {
    this.#records = records
    this.#rewinds = rewinds
    this.#points = points
    points.keep(() => records.base.current.kept)
  }

  get rewinds(): readonly Rewind[] {
    return this.#rewinds
  }

  /** The largest offered position whose time is not later. Throws a ReplicationError: `no-such-point`. */
  positionAt(time: number): number {
    const position = findAt(this.#offered, time)
    if (position !== undefined) return position
    throw new ReplicationError('no-such-point', `no point is kept that is as old as ${time} µs`)
  }

  /** The named points that are offered, by position, with those between them: as `GroupJournal` has it. */
  *points(
    range: { from?: number | undefined; to?: number | undefined; every?: number | undefined } = {},
  ): Generator<Point & { name?: string | undefined }, void, undefined> {
    const { from = 0, to = Number.POSITIVE_INFINITY, every } = range
    const isIn = ({ time }: Point) => time >= from && time <= to
    const named = [...this.named().values()].filter(isIn).sort((a, b) => a.position - b.position)
    let next = 0
    if (every !== undefined)
      for (const point of pointsEvery(this.#offered, every)) {
        if (!isIn(point)) continue
        let isNamed = false
        for (; next < named.length && named[next]!.position <= point.position; next++) {
          isNamed = named[next]!.position === point.position
          yield named[next]!
        }
        if (!isNamed) yield point
      }
    yield* named.slice(next)
  }

  /** The named points that are offered; of those of the same name the newest. */
  named(): Map<string, NamedPoint> {
    return this.#points.byName(this.#records.base.low)
  }

  /** From now on there may be so many names. */
  limitNames(most: number): void {
    this.#points.limit(most)
  }

  /** What is kept when this one is, too. Throws a ReplicationError: `not-found`; `full` where half of the names that there may be are kept. */
  keptWith(name: string, until?: number): KeptPoint[] {
    const point = this.find(name)
    const named = this.named()
    const { base, durable } = this.#records
    const others = base.current.kept.filter(
      kept => kept.name !== name && named.has(kept.name) && (kept.until ?? Number.POSITIVE_INFINITY) > durable.time,
    )
    if (others.length >= this.#points.most / 2)
      throw new ReplicationError('full', `${others.length} checkpoints are kept: release one`)
    return [...others, { name, ...point, until }]
  }

  /** Throws a ReplicationError: `not-found`. */
  find(name: string): Point {
    const point = this.named().get(name)
    if (point !== undefined) return { position: point.position, time: point.time }
    throw new ReplicationError('not-found', 'no checkpoint of that name is kept')
  }

  /** An offered position, with its time. Throws a ReplicationError: `no-such-point`. */
  pointAt(position: number): Point {
    this.checkOffered(position)
    return { position, time: timeAt(this.#offered, position) }
  }

  /** The ranges of positions that are offered, in their order: all of them, or the newest. */
  ranges(atMost?: number): Span[] {
    return settledRanges(this.#offered, atMost)
  }

  /** Throws a ReplicationError: `no-such-point`. */
  checkOffered(position: number): void {
    if (!isOffered(this.#offered, position)) throw noSuchPoint(position)
  }

  /** The content at a position is there, whether it is offered or not. Throws a ReplicationError: `no-such-point`. */
  checkKept(position: number): void {
    const { base, durable } = this.#records
    if (position < base.low || !isAlive(position, durable.position, this.#rewinds)) throw noSuchPoint(position)
  }

  /** It is offered, and will be when all rewinds that are under way are durable. Throws a ReplicationError: `no-such-point`. */
  checkLasting(position: number): void {
    this.checkOffered(position)
    if (!isAlive(position, Number.POSITIVE_INFINITY, this.#rewinding)) throw noSuchPoint(position)
  }

  /** Which records make up the content at a position. */
  lineageOf(position: number): PositionRange[] {
    return lineageOf(position, this.#rewinds)
  }

  /** What is behind this position cannot be done without: somebody needs these positions, or a rewind goes back, or a named checkpoint is kept. */
  floor(needed: readonly number[]): number {
    const { base, durable } = this.#records
    const { position, settled, time } = durable
    const pins = [settled?.position ?? position, ...this.#rewinding.map(({ to }) => to), ...needed]
    const named = this.named()
    for (const { name, until = Number.POSITIVE_INFINITY } of base.current.kept) {
      const point = named.get(name)
      if (point !== undefined && until > time) pins.push(point.position)
    }
    return Math.min(...pins.map(pin => commonAncestor(pin, position, this.#rewinds)))
  }

  /** The names that were given to a position. */
  namesOf(position: number): string[] {
    return this.#points.all.flatMap(point => (point.position === position ? point.name : []))
  }

  /** A rewind was appended. */
  beginRewind(rewind: Rewind): void {
    this.#rewinding.push(rewind)
  }

  /** A record is durable. */
  take({ kind, position, offset, time }: RecordHeader, payload: Uint8Array): void {
    if (kind === 'rewind') {
      this.#rewinds.push({ position, to: offset, time })
      this.#rewinding.shift()
    } else if (kind === 'name' || kind === 'point') {
      const { name } = JSON.parse(new TextDecoder().decode(payload))
      if (kind === 'name') this.#points.add({ name, position: offset, time })
      else if (this.#records.durable.settled?.position === position) this.#points.add({ name, position, time })
    }
  }

  /** What was not durable is lost. */
  dropUnderWay(): void {
    this.#rewinding = []
  }

  /** Points and rewinds that are folded are of no use to anybody. */
  forgetBefore(position: number): void {
    const rewinds = this.#rewinds.filter(rewind => rewind.position > position)
    // in place: who reads them goes on meanwhile
    this.#rewinds.splice(0, this.#rewinds.length, ...rewinds)
    this.#points.forgetBefore(position)
  }

  get #offered(): PointsParts {
    const { base, store, durable } = this.#records
    const { state, folding } = base.current
    const isBaseOffered =
      (folding ?? 0) <= state.position &&
      state.settled?.position === state.position &&
      isAlive(state.position, durable.position, this.#rewinds)
    return {
      store,
      rewinds: this.#rewinds,
      last: durable.position,
      low: base.low,
      base: isBaseOffered ? state.settled : undefined,
    }
  }
}
