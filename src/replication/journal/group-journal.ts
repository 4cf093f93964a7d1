import type { Folder } from '../folder.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { StreamMessage, VolumeInfo } from '../wire/message.js'
import { AppendedRecords } from './appended-records.js'
import { BaseKeeper } from './base-keeper.js'
import { changedSince } from './changed-since.js'
import { checkMessage, checkVolume } from './check-message.js'
import { Folding } from './folding.js'
import type { Run } from './granule-set.js'
import { Images } from './images.js'
import { JournalCondition } from './journal-condition.js'
import { asReplicationError } from './journal-error.js'
import { JournalHistory } from './journal-history.js'
import {
  defaultNames,
  defaultSegmentSize,
  type JournalLimits,
  type JournalOptions,
  segmentSizeAtMost,
} from './journal-options.js'
import type { StreamPart } from './journal-state.js'
import { JournalView } from './journal-view.js'
import { piecesOf } from './message-records.js'
import { RecordReader } from './record-reader.js'
import { type Recovered, recover } from './recover.js'
import type { Point, Span } from './segment-index.js'
import { type Records, stateAt } from './state-at.js'
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

/**
 * The journal of a group, in a folder of its own: records in segments, over images that older history was folded into. What `commit` has
 * said is durable is there after any crash. Who opens it is alone with the folder.
 */
export class GroupJournal {
  readonly #options: JournalOptions & { limits: JournalLimits }
  readonly #records: Records
  readonly #history: JournalHistory
  readonly #images: Images
  readonly #reader: RecordReader
  readonly #appended: AppendedRecords
  readonly #folding: Folding
  readonly #views = new Set<JournalView>()
  readonly #condition: JournalCondition
  #trimming: Promise<void> | undefined
  #isClosed = false

  /**
   * Opens the journal of a folder, or makes one in an empty folder. Throws a ReplicationError: `damaged` where it does not hold what was
   * once acknowledged, `full`, `file-failed`.
   */
  static async open(folder: Folder, options: JournalOptions = {}): Promise<GroupJournal> {
    try {
      const segments = folder.folder('segments')
      const images = new Images(folder.folder('images'))
      const base = await BaseKeeper.open(folder, segments)
      return new GroupJournal(options, base, images, await recover(segments, base.current, options.limits?.names))
    } catch (error) {
      throw asReplicationError(error)
    }
  }

  private constructor(given: JournalOptions, base: BaseKeeper, images: Images, recovered: Recovered) {
    const options = { ...given, limits: { ...given.limits } }
    const { store, state: durable, rewinds, points, nextNumber } = recovered
    this.#options = options
    this.#records = { base, store, durable }
    this.#history = new JournalHistory(this.#records, rewinds, points)
    this.#images = images
    this.#condition = new JournalCondition(store, options.limits.hardBytes)
    this.#reader = new RecordReader(store)
    this.#folding = new Folding({
      ...{ records: this.#records, history: this.#history, images, reader: this.#reader, views: this.#views, options },
    })
    this.#appended = new AppendedRecords({
      store,
      durable,
      segmentSize: Math.min(options.segmentSize ?? defaultSegmentSize, segmentSizeAtMost),
      nextNumber,
      now: options.now,
      onRecord: (header, payload) => this.#history.take(header, payload),
      onLost: error => {
        this.#condition.fail(error)
        this.#history.dropUnderWay()
      },
    })
  }

  /** `full`: no data is taken until `trim` finds room. `failed`: nothing can be written any more; it may be opened again. */
  get state(): 'taking' | 'full' | 'failed' {
    return this.#condition.state
  }

  /** As they were declared, with what is not durable yet. */
  get volumes(): readonly VolumeInfo[] {
    return [...this.#appended.state.volumes.values()]
  }

  /** What is durable: the last position, and the newest one that is offered. */
  get last(): {
    position: number
    settled?: Point | undefined
    isSettled: boolean
    reason?: string | undefined
  } {
    const { position, settled, isSettled, reason } = this.#records.durable
    return { position, settled, isSettled, reason }
  }

  /** Of which the last durable record of an agent is. */
  get stream(): { stream: string; epoch: number; sequence: number; earlier: readonly StreamPart[] } | undefined {
    const { stream } = this.#records.durable
    if (stream === undefined) return undefined
    const { stream: id, epoch, sequence, earlier = [] } = stream
    return { stream: id, epoch, sequence, earlier }
  }

  /** Says that there is a volume, or that it has grown. */
  declareVolume(info: VolumeInfo): void {
    this.#checkTaking()
    if (!checkVolume(info, this.#appended.state.volumes)) return
    const { number, name, size } = info
    this.#appended.appendMark('volume', { number, name, size }, { volume: number })
  }

  /** What is appended from now on is of this stream. @param continues its agent knows all that differs from what is there */
  beginStream(stream: string, epoch: number, agent: string, continues = false): void {
    this.#checkTaking()
    const known = this.#appended.state.stream
    if (known?.stream === stream && known.epoch === epoch && known.agent === agent) return
    if (known !== undefined && epoch < known.epoch)
      throw new ReplicationError('fenced', `a stream of epoch ${epoch} is older than epoch ${known.epoch}`)
    this.#appended.appendMark('stream', { stream, epoch, agent, continues })
  }

  /** Takes the next message of the stream; `commit` makes it durable. @returns its position */
  append(message: StreamMessage): number {
    this.#checkTaking()
    this.#condition.checkRoom(this.#appended.uncommittedBytes)
    checkMessage(message, this.#appended.state)
    const { time, sequence } = message
    const pieces = [...piecesOf(message, this.#options.compress ?? false)]
    const last = pieces.length - 1
    for (const [index, { payload, kind, volume, offset, length, isDeflated }] of pieces.entries())
      this.#appended.append(
        { kind, volume, offset, length, isDeflated, time, sequence: index === last ? sequence : 0 },
        payload,
      )
    return this.#appended.state.position
  }

  /** Goes back to what an offered position holds: what came after it counts no more. */
  rewind(position: number): void {
    this.#checkTaking()
    this.#history.checkLasting(position)
    const then = stateAt(this.#records, position)
    const { time } = then.settled?.position === position ? then.settled : then
    this.#history.beginRewind({ position: this.#appended.state.position + 1, to: position, time })
    this.#appended.appendMark('rewind', then.snapshot, { offset: position, time })
  }

  /** Gives a name to an offered position. */
  namePoint(name: string, position: number): void {
    this.#checkTaking()
    if (!isName(name)) throw new ReplicationError('bad-name', 'the name of a checkpoint is not one it can have')
    this.#history.checkOffered(position)
    const { time } = stateAt(this.#records, position)
    this.#appended.appendMark('name', { name }, { offset: position, time })
  }

  /**
   * Settles when all that was appended is durable. Rejects with a ReplicationError, `full` or `file-failed`: then nothing of what was not
   * durable before is there any more.
   */
  async commit(): Promise<{ position: number; sequence: number }> {
    const { position, stream } = this.#appended.state
    // not what is appended meanwhile
    const sequence = stream?.sequence ?? 0
    await this.#appended.commit()
    return { position, sequence }
  }

  /** The largest offered position whose time is not later. Throws a ReplicationError: `no-such-point`. */
  positionAt(time: number): number {
    return this.#history.positionAt(time)
  }

  /**
   * The named ones, by position; of those of the same name the newest. With `every`, in microseconds, also the last point of each stretch
   * of time of that length. `from` and `to` are times.
   */
  points(
    range: { from?: number | undefined; to?: number | undefined; every?: number | undefined } = {},
  ): Generator<Point & { name?: string | undefined }, void, undefined> {
    return this.#history.points(range)
  }

  /** Throws a ReplicationError: `not-found`. */
  findPoint(name: string): Point {
    return this.#history.find(name)
  }

  /** An offered position, with its time. Throws a ReplicationError: `no-such-point`. */
  pointAt(position: number): Point {
    return this.#history.pointAt(position)
  }

  /** The ranges of positions that are offered, in their order: all of them, or the newest. */
  history(atMost?: number): readonly Span[] {
    return this.#history.ranges(atMost)
  }

  /**
   * The volumes as they were at a position, which stays readable until the view is closed. Throws a ReplicationError: `no-such-point`.
   * @param options.unsettled also a position that is not offered because the replica was not settled
   */
  async view(position: number, options: { unsettled?: boolean } = {}): Promise<JournalView> {
    if (options.unsettled === true) this.#history.checkKept(position)
    else this.#history.checkOffered(position)
    const { base, store } = this.#records
    const ranges = this.#history.lineageOf(position)
    const layers = store.all.flatMap(segment =>
      segment.last > base.current.state.position ? (layerOf(store, segment, ranges) ?? []) : [],
    )
    const view = new JournalView({
      position,
      volumes: [...stateAt(this.#records, position).volumes.values()],
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
    return changedSince(this.#records, this.#history.rewinds, position, volume)
  }

  /**
   * A named checkpoint is not folded before that time, in microseconds; without one, never. Nor is its name forgotten. Durable when it settles. Rejects
   * with a ReplicationError: `not-found`; `full` where half of the names that there may be are kept.
   */
  async keepPoint(name: string, until?: number): Promise<void> {
    const kept = this.#history.keptWith(name, until)
    await this.#records.base.changeNow({ kept })
  }

  /** A named checkpoint may be folded as all others. */
  async releasePoint(name: string): Promise<void> {
    const { base } = this.#records
    await base.change({ kept: base.current.kept.filter(kept => kept.name !== name) })
  }

  /** Other limits hold from now on: what they let go is folded by the next `trim`. */
  limit({ bytes, history, names }: Pick<JournalLimits, 'bytes' | 'history' | 'names'>): void {
    Object.assign(this.#options.limits, { bytes, history, names })
    this.#history.limitNames(names ?? defaultNames)
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
    const { store } = this.#records
    return {
      journalBytes: store.size,
      imageBytes: this.#images.size,
      segments: store.all.length,
      uncommittedBytes: this.#appended.uncommittedBytes,
    }
  }

  /** What was not committed is not written. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#trimming?.catch(() => {})
    await this.#appended.idle()
    for (const view of [...this.#views]) view.close()
    this.#records.store.close()
    this.#images.close()
  }

  async #trim(): Promise<void> {
    if (this.#isClosed || this.state === 'failed') return
    try {
      let isMore = true
      while (isMore && !this.#isClosed) isMore = await this.#folding.step()
      await this.#condition.tryAgain()
    } catch (error) {
      const problem = asReplicationError(error)
      if (problem.code !== 'damaged' && this.state === 'taking') this.#condition.fail(problem)
      throw problem
    }
  }

  #checkTaking(): void {
    if (this.#isClosed) throw new ReplicationError('wrong-state', 'the journal is closed')
    this.#condition.check()
  }
}
