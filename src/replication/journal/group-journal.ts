import { randomBytes } from 'node:crypto'
import type { Folder } from '../folder.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { StreamMessage, VolumeInfo } from '../wire/message.js'
import { type Base, readBase, writeBase } from './base-file.js'
import { checkMessage, checkVolume } from './check-message.js'
import { asReplicationError, CommitQueue, isFull } from './commit-queue.js'
import { damaged } from './damaged.js'
import { foldInto } from './fold.js'
import { GranuleSet, type Run } from './granule-set.js'
import { findAt, isOffered, type PointsParts, pointsEvery, settledRanges, timeAt } from './history.js'
import { Images } from './images.js'
import { decodeExtent, extentSize } from './index-file.js'
import { defaultSegmentSize, type JournalOptions, segmentSizeAtMost } from './journal-options.js'
import { emptySnapshot, JournalState, type StreamPart } from './journal-state.js'
import { JournalView } from './journal-view.js'
import { commonAncestor, isAlive, lineageOf, type Rewind } from './lineage.js'
import { piecesOf } from './message-records.js'
import { encodeJson, isData, type RecordKind } from './record.js'
import { RecordReader } from './record-reader.js'
import { type Recovered, recover } from './recover.js'
import { foldTarget } from './retention.js'
import type { NamedPoint, Point, Span } from './segment-index.js'
import type { SegmentStore } from './segment-store.js'
import { tryRoom } from './try-room.js'
import { layerOf } from './view-layer.js'

export interface JournalUsage {
  /** Of the segments, in bytes. */
  journalBytes: number
  /** Of the images, in bytes; they may be sparse. */
  imageBytes: number
  segments: number
  /** What was appended and is not durable yet, in bytes. */
  uncommittedBytes: number
}

const nothing = new Uint8Array(0)

/**
 * The journal of a group, in a folder of its own: records in segments, over images that older history was folded into. What `commit` has
 * said is durable is there after any crash. Who opens it is alone with the folder.
 */
export class GroupJournal {
  readonly #folder: Folder
  readonly #options: JournalOptions
  readonly #store: SegmentStore
  readonly #images: Images
  readonly #reader: RecordReader
  readonly #queue: CommitQueue
  /** What is known behind the last durable record. */
  readonly #durable: JournalState
  /** And behind the last one that was appended. */
  #appended: JournalState
  readonly #rewinds: Rewind[]
  readonly #points: NamedPoint[]
  readonly #views = new Set<JournalView>()
  #base: Base
  #problem: ReplicationError | undefined
  /** Rewinds that are not durable yet. */
  #rewinding: Rewind[] = []
  #trimming: Promise<void> | undefined
  #baseWritten: Promise<void> = Promise.resolve()
  #isClosed = false

  /**
   * Opens the journal of a folder, or makes one in an empty folder. Throws a ReplicationError: `damaged` where it does not hold what was
   * once acknowledged, `full`, `file-failed`.
   */
  static async open(folder: Folder, options: JournalOptions = {}): Promise<GroupJournal> {
    try {
      const segments = folder.folder('segments')
      const images = new Images(folder.folder('images'))
      const base = readBase(folder) ?? (await createBase(folder, segments))
      return new GroupJournal(folder, options, base, images, await recover(segments, base))
    } catch (error) {
      throw asReplicationError(error)
    }
  }

  private constructor(folder: Folder, options: JournalOptions, base: Base, images: Images, recovered: Recovered) {
    const { store, state, rewinds, points, nextNumber } = recovered
    this.#folder = folder
    this.#options = options
    this.#base = base
    this.#images = images
    this.#store = store
    this.#reader = new RecordReader(store)
    this.#durable = state
    this.#appended = new JournalState(state.snapshot)
    this.#rewinds = rewinds
    this.#points = points
    this.#queue = new CommitQueue({
      store,
      durable: state,
      segmentSize: Math.min(options.segmentSize ?? defaultSegmentSize, segmentSizeAtMost),
      nextNumber,
      now: options.now,
      onRecord: (header, payload) => this.#onRecord(header, payload),
      onLost: error => this.#onLost(error),
    })
  }

  /** `full`: no data is taken until `trim` finds room. `failed`: nothing can be written any more; it may be opened again. */
  get state(): 'taking' | 'full' | 'failed' {
    if (this.#problem === undefined) return 'taking'
    return this.#problem.code === 'full' ? 'full' : 'failed'
  }

  /** As they were declared, with what is not durable yet. */
  get volumes(): readonly VolumeInfo[] {
    return [...this.#appended.volumes.values()]
  }

  /** What is durable: the last position, and the newest one that is offered. */
  get last(): {
    position: number
    settled?: Point | undefined
    isSettled: boolean
    reason?: string | undefined
  } {
    const { position, settled, isSettled, reason } = this.#durable
    return { position, settled, isSettled, reason }
  }

  /** Of which the last durable record of an agent is. */
  get stream(): { stream: string; epoch: number; sequence: number; earlier: readonly StreamPart[] } | undefined {
    const { stream } = this.#durable
    if (stream === undefined) return undefined
    const { stream: id, epoch, sequence, earlier = [] } = stream
    return { stream: id, epoch, sequence, earlier }
  }

  /** Says that there is a volume, or that it has grown. */
  declareVolume(info: VolumeInfo): void {
    this.#checkTaking()
    if (!checkVolume(info, this.#appended.volumes)) return
    const { number, name, size } = info
    this.#appendMark('volume', { volume: number, payload: encodeJson({ number, name, size }) })
  }

  /** What is appended from now on is of this stream. @param continues its agent knows all that differs from what is there */
  beginStream(stream: string, epoch: number, agent: string, continues = false): void {
    this.#checkTaking()
    const known = this.#appended.stream
    if (known?.stream === stream && known.epoch === epoch && known.agent === agent) return
    if (known !== undefined && epoch < known.epoch)
      throw new ReplicationError('fenced', `a stream of epoch ${epoch} is older than epoch ${known.epoch}`)
    this.#appendMark('stream', { payload: encodeJson({ stream, epoch, agent, continues }) })
  }

  /** Takes the next message of the stream; `commit` makes it durable. @returns its position */
  append(message: StreamMessage): number {
    this.#checkTaking()
    this.#checkRoom()
    checkMessage(message, this.#appended)
    const { time, sequence } = message
    const pieces = [...piecesOf(message, this.#options.compress ?? false)]
    const last = pieces.length - 1
    for (const [index, { payload, ...piece }] of pieces.entries())
      this.#append({ ...piece, time, sequence: index === last ? sequence : 0 }, payload)
    return this.#appended.position
  }

  /** Goes back to what an offered position holds: what came after it counts no more. */
  rewind(position: number): void {
    this.#checkTaking()
    this.#checkOffered(position)
    if (!isAlive(position, Number.POSITIVE_INFINITY, this.#rewinding)) throw noSuchPoint(position)
    const then = this.#stateAt(position)
    const { time } = then.settled?.position === position ? then.settled : then
    this.#rewinding.push({ position: this.#appended.position + 1, to: position, time })
    this.#appendMark('rewind', { offset: position, time, payload: encodeJson(then.snapshot) })
  }

  /** Gives a name to an offered position. */
  namePoint(name: string, position: number): void {
    this.#checkTaking()
    if (!isName(name)) throw new ReplicationError('bad-name', 'the name of a checkpoint is not one it can have')
    this.#checkOffered(position)
    const { time } = this.#stateAt(position)
    this.#appendMark('name', { offset: position, time, payload: encodeJson({ name }) })
  }

  /**
   * Settles when all that was appended is durable. Rejects with a ReplicationError, `full` or `file-failed`: then nothing of what was not
   * durable before is there any more.
   */
  async commit(): Promise<{ position: number; sequence: number }> {
    const { position, stream } = this.#appended
    // not what is appended meanwhile
    const sequence = stream?.sequence ?? 0
    await this.#queue.commit()
    return { position, sequence }
  }

  /** The largest offered position whose time is not later. Throws a ReplicationError: `no-such-point`. */
  positionAt(time: number): number {
    const position = findAt(this.#offered, time)
    if (position !== undefined) return position
    throw new ReplicationError('no-such-point', `no point is kept that is as old as ${time} µs`)
  }

  /**
   * The named ones, by position; of those of the same name the newest. With `every`, in microseconds, also the last point of each stretch
   * of time of that length. `from` and `to` are times.
   */
  *points(
    range: { from?: number | undefined; to?: number | undefined; every?: number | undefined } = {},
  ): Generator<Point & { name?: string | undefined }, void, undefined> {
    const { from = 0, to = Number.POSITIVE_INFINITY, every } = range
    const isIn = ({ time }: Point) => time >= from && time <= to
    const named = [...this.#named().values()].filter(isIn).sort((a, b) => a.position - b.position)
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

  /** Throws a ReplicationError: `not-found`. */
  findPoint(name: string): Point {
    const point = this.#named().get(name)
    if (point !== undefined) return { position: point.position, time: point.time }
    throw new ReplicationError('not-found', 'no checkpoint of that name is kept')
  }

  /** An offered position, with its time. Throws a ReplicationError: `no-such-point`. */
  pointAt(position: number): Point {
    this.#checkOffered(position)
    return { position, time: timeAt(this.#offered, position) }
  }

  /** The ranges of positions that are offered, in their order: all of them, or the newest. */
  history(atMost?: number): readonly Span[] {
    return settledRanges(this.#offered, atMost)
  }

  /**
   * The volumes as they were at a position, which stays readable until the view is closed. Throws a ReplicationError: `no-such-point`.
   * @param options.unsettled also a position that is not offered because the replica was not settled
   */
  async view(position: number, options: { unsettled?: boolean } = {}): Promise<JournalView> {
    if (options.unsettled !== true) this.#checkOffered(position)
    else if (position < this.#low || !isAlive(position, this.#durable.position, this.#rewinds))
      throw noSuchPoint(position)
    const ranges = lineageOf(position, this.#rewinds)
    const layers = this.#store.all.flatMap(segment =>
      segment.last > this.#base.state.position ? (layerOf(this.#store, segment, ranges) ?? []) : [],
    )
    const view = new JournalView({
      position,
      volumes: [...this.#stateAt(position).volumes.values()],
      layers,
      images: this.#images,
      reader: this.#reader,
      closed: closed => this.#views.delete(closed),
    })
    this.#views.add(view)
    return view
  }

  /**
   * Runs of granules of a volume that any record after a position wrote, also such that a rewind undid; of a position that was undone also
   * what was undone with it. Throws a ReplicationError: `no-such-point` where that is folded already, `not-found`.
   */
  changedSince(position: number, volume: number): Iterable<Run> {
    const info = this.#durable.volumes.get(volume)
    if (info === undefined) throw new ReplicationError('not-found', `there is no volume ${volume}`)
    const last = this.#durable.position
    const from = commonAncestor(position, last, this.#rewinds)
    if (position > last || from < this.#base.state.position) throw noSuchPoint(position)
    const granules = new GranuleSet(info.size)
    for (const segment of this.#store.all) {
      if (segment.last <= from) continue
      if (segment.first > from && segment.number !== this.#store.current?.number) {
        const { bytes } = this.#store.extents(segment)
        for (let at = 0; at < bytes.length; at += extentSize) {
          const extent = decodeExtent(bytes, at)
          if (extent.volume === volume) granules.add(extent.start, extent.end)
        }
      } else
        for (const record of this.#store.table(segment).records(from + 1))
          if (record.volume === volume && isData(record.kind))
            granules.add(record.offset, record.offset + record.length)
    }
    return granules.runs()
  }

  /** A named checkpoint is not folded before that time, in microseconds; without one, never. Durable when it settles. */
  async keepPoint(name: string, until?: number): Promise<void> {
    this.findPoint(name)
    const named = this.#named()
    const others = this.#base.kept.filter(kept => kept.name !== name && named.has(kept.name))
    // it is not folded from this moment on, not only when that is durable
    this.#base = { ...this.#base, kept: [...others, { name, until }] }
    await this.#writeBase({})
  }

  /** A named checkpoint may be folded as all others. */
  async releasePoint(name: string): Promise<void> {
    await this.#writeBase({ kept: this.#base.kept.filter(kept => kept.name !== name) })
  }

  /**
   * Folds what the limits let go. A journal that is full takes data again where there is room now. Rejects with a ReplicationError: `full`
   * where there is no room to fold, `damaged`, `file-failed`.
   */
  trim(): Promise<void> {
    this.#trimming ??= this.#trim().finally(() => {
      this.#trimming = undefined
    })
    return this.#trimming
  }

  usage(): JournalUsage {
    return {
      journalBytes: this.#store.size,
      imageBytes: this.#images.size,
      segments: this.#store.all.length,
      uncommittedBytes: this.#queue.size,
    }
  }

  /** What was not committed is not written. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#trimming?.catch(() => {})
    await this.#queue.idle()
    for (const view of [...this.#views]) view.close()
    this.#store.close()
    this.#images.close()
  }

  async #trim(): Promise<void> {
    if (this.#isClosed || this.state === 'failed') return
    try {
      for (let target = this.#foldTarget(); target !== undefined; target = this.#foldTarget()) await this.#fold(target)
      if (this.#problem !== undefined && (await this.#hasRoom())) this.#problem = undefined
    } catch (error) {
      const problem = asReplicationError(error)
      if (problem.code !== 'damaged') this.#problem ??= problem
      throw problem
    }
  }

  #foldTarget(): number | undefined {
    if (this.#isClosed) return
    const { state, folding = 0 } = this.#base
    // What was begun is done again whole: the images may hold some of it.
    if (folding > state.position) return folding
    return foldTarget({
      segments: this.#store.all,
      sealed: this.#store.sealed.length,
      size: this.#store.size,
      limits: this.#options.limits ?? {},
      time: this.#durable.time,
      now: this.#options.now?.(),
      floor: this.#foldFloor(),
    })
  }

  /** What is behind this position stays in the journal. */
  #foldFloor(): number {
    const { position, settled, time } = this.#durable
    const pins = [settled?.position ?? position, ...this.#rewinding.map(({ to }) => to)]
    for (const view of this.#views) pins.push(view.position)
    const named = this.#named()
    for (const { name, until = Number.POSITIVE_INFINITY } of this.#base.kept) {
      const point = named.get(name)
      if (point !== undefined && until > time) pins.push(point.position)
    }
    return Math.min(...pins.map(pin => commonAncestor(pin, position, this.#rewinds)))
  }

  async #fold(target: number): Promise<void> {
    const base = this.#base.state.position
    const ranges = lineageOf(this.#durable.position, this.#rewinds)
    const segments = this.#store.sealed.filter(({ first, last }) => last > base && first <= target)
    const layers = segments.flatMap(segment => layerOf(this.#store, segment, ranges) ?? [])
    const state = this.#stateAt(target).snapshot
    // Nobody may go back behind it from this moment on, not only when that is durable.
    this.#base = { ...this.#base, folding: target }
    await this.#writeBase({})
    await foldInto({ layers, volumes: this.#durable.volumes, images: this.#images, reader: this.#reader })
    const names = this.#points.flatMap(({ name, position }) => (position === target ? name : []))
    await this.#writeBase({ state, names, folding: undefined })
    for (const view of this.#views) view.dropThrough(target)
    this.#store.removeThrough(target)
    this.#forgetBefore(target)
    await this.#store.folder.sync()
  }

  /** Points and rewinds that are folded are of no use to anybody. */
  #forgetBefore(position: number): void {
    const { rewinds, points } = { rewinds: this.#rewinds, points: this.#points }
    rewinds.splice(0, rewinds.length, ...rewinds.filter(rewind => rewind.position > position))
    points.splice(0, points.length, ...points.filter(point => point.position >= position))
  }

  /** One at a time. */
  #writeBase(change: Partial<Base>): Promise<void> {
    const write = async () => {
      await writeBase(this.#folder, { ...this.#base, ...change })
      // a fold may have begun meanwhile
      this.#base = { ...this.#base, ...change }
    }
    const written = this.#baseWritten.then(write)
    this.#baseWritten = written.catch(() => {})
    return written.catch(error => Promise.reject(asReplicationError(error)))
  }

  /** Whether a full journal can go on. */
  async #hasRoom(): Promise<boolean> {
    const { hardBytes = Number.POSITIVE_INFINITY } = this.#options.limits ?? {}
    if (this.#store.size >= hardBytes) return false
    try {
      await tryRoom(this.#store.folder)
      return true
    } catch (error) {
      if (isFull(error)) return false
      throw error
    }
  }

  get #low(): number {
    return Math.max(this.#base.state.position, this.#base.folding ?? 0)
  }

  get #offered(): PointsParts {
    const { state, folding } = this.#base
    const isBaseOffered =
      (folding ?? 0) <= state.position &&
      state.settled?.position === state.position &&
      isAlive(state.position, this.#durable.position, this.#rewinds)
    return {
      store: this.#store,
      rewinds: this.#rewinds,
      last: this.#durable.position,
      low: this.#low,
      base: isBaseOffered ? state.settled : undefined,
    }
  }

  #named(): Map<string, NamedPoint> {
    const last = this.#durable.position
    const named = new Map<string, NamedPoint>()
    for (const point of this.#points)
      if (point.position >= this.#low && isAlive(point.position, last, this.#rewinds)) named.set(point.name, point)
    return named
  }

  #checkTaking(): void {
    if (this.#isClosed) throw new ReplicationError('wrong-state', 'the journal is closed')
    if (this.#problem !== undefined) throw this.#problem
  }

  #checkRoom(): void {
    const { hardBytes } = this.#options.limits ?? {}
    if (hardBytes === undefined || this.#store.size + this.#queue.size < hardBytes) return
    this.#problem = new ReplicationError(
      'full',
      `the journal has reached its limit of ${hardBytes} bytes, and nothing of it may be folded. Close views, or allow more`,
    )
    throw this.#problem
  }

  #checkOffered(position: number): void {
    if (!isOffered(this.#offered, position)) throw noSuchPoint(position)
  }

  #appendMark(
    kind: RecordKind,
    { volume = 0, offset = 0, time = this.#appended.time, payload = nothing }: Partial<Mark>,
  ): void {
    this.#append({ kind, volume, offset, time, length: 0, isDeflated: false, sequence: 0 }, payload)
  }

  #append(record: Omit<Mark, 'payload'> & RecordParts, payload: Uint8Array): void {
    const header = {
      ...record,
      position: this.#appended.position + 1,
      stored: payload.length,
      beginsCommit: this.#queue.isEmpty,
    }
    this.#queue.add(header, payload, !isData(record.kind))
    this.#appended.apply(header, payload)
  }

  #onRecord(header: { kind: RecordKind; position: number; offset: number; time: number }, payload: Uint8Array): void {
    const { kind, position, offset, time } = header
    if (kind === 'rewind') {
      this.#rewinds.push({ position, to: offset, time })
      this.#rewinding.shift()
    } else if (kind === 'name' || kind === 'point') {
      const { name } = JSON.parse(new TextDecoder().decode(payload))
      if (kind === 'name') this.#points.push({ name, position: offset, time })
      else if (this.#durable.settled?.position === position) this.#points.push({ name, position, time })
    }
  }

  #onLost(error: ReplicationError): void {
    this.#problem = error
    this.#appended = new JournalState(this.#durable.snapshot)
    this.#rewinding = []
  }

  /** What was known behind a durable record. */
  #stateAt(position: number): JournalState {
    if (position === this.#durable.position) return new JournalState(this.#durable.snapshot)
    if (position === this.#base.state.position) return new JournalState(this.#base.state)
    const segment = this.#store.holding(position)
    if (segment === undefined) throw noSuchPoint(position)
    const state = new JournalState(this.#store.startState(segment.number))
    for (const record of this.#store.table(segment).records(segment.first, position)) {
      const payload = isData(record.kind) ? nothing : this.#store.record(segment.number, record.at).payload
      state.apply(record, payload)
    }
    if (state.position !== position) throw damaged(`record ${position} is not where it should be`)
    return state
  }
}

interface Mark {
  volume: number
  offset: number
  time: number
  payload: Uint8Array
}

interface RecordParts {
  kind: RecordKind
  length: number
  isDeflated: boolean
  sequence: number
}

const noSuchPoint = (position: number): ReplicationError =>
  new ReplicationError(
    'no-such-point',
    `position ${position} is no point that is kept: it is folded or undone, or the replica was not settled there`,
  )

async function createBase(folder: Folder, segments: Folder): Promise<Base> {
  if (segments.list().length > 0) throw damaged('there are segments, but no base.json')
  const base: Base = { version: 1, seed: randomBytes(4).readUInt32LE(0), state: emptySnapshot, kept: [] }
  await folder.sync()
  await writeBase(folder, base)
  return base
}
