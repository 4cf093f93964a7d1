import type { Geometry } from '../geometry.js'
import { EpochLog } from '../keep/epoch-log.js'
import type { Generations, MetaRecord } from '../keep/meta-record.js'
import type { Metadata } from '../keep/metadata.js'
import type { NodeHost } from '../node-host.js'
import { ProtocolDError, type ProtocolDErrorCode } from '../protocol-d-error.js'
import { Receiver } from '../stream/receiver.js'
import type { Link } from './link.js'
import type { NodeOptions } from './node-options.js'

export type Done = (error?: Error) => void
export type Result<Value> = (error: Error | undefined, value?: Value) => void

/** How many earlier generations are remembered. */
const basesAtMost = 16
const historyAtMost = 16

/** What the parts of a node share: what it keeps, its connection, and whether something is under way that others have to wait for. */
export class Core {
  readonly host: NodeHost
  readonly options: NodeOptions
  readonly metadata: Metadata
  readonly log: EpochLog
  link: Link | undefined
  failure: ProtocolDError | undefined
  /** Of one Primary or two, the one that writes. */
  isWriter = false
  /** This generation was begun since the peer was last seen: nobody else has it. */
  isOwnGeneration = false
  /** What this node wrote alone does not count at the next meeting. */
  discards = false
  /** It may go on without a peer, until it has one again. */
  mayGoOnAlone = false
  /** The number of a later promotion than that of this Primary, which is none any more: nothing is read and written. */
  fencedBy: number | undefined
  /** Blocks to which a write failed, and which cannot be read: the peer has what was written before, or that write. */
  readonly unreadable = new Set<number>()
  /** Why the last connection ended, where this node ended it. */
  why = ''
  /** The nodes did not fit when they last met. */
  isRefused = false
  #isBusy = false
  #whenFree: (() => void)[] = []
  #whenAnswered: (() => void)[] = []
  readonly #onRelease: (() => void)[] = []
  readonly #onEnd: ((link: Link) => void)[] = []

  constructor(host: NodeHost, options: NodeOptions, metadata: Metadata) {
    this.host = host
    this.options = options
    this.metadata = metadata
    this.log = new EpochLog(host, metadata, { memory: options.memory, failed: error => this.fail(error) })
  }

  get record(): Readonly<MetaRecord> {
    return this.metadata.record
  }

  get geometry(): Geometry {
    return this.metadata.geometry
  }

  /** Something is under way that the guest's writes, and other changes, wait for. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** It is Primary, has no peer that holds the same, and waits until it may go on alone. */
  get asksAlone(): boolean {
    // one that is being brought up to date may not know yet that what it has is old
    const isAlone = this.record.role === 'primary' && this.isWriter && this.link?.phase !== 'equal'
    return isAlone && this.options.asksAlone && !this.mayGoOnAlone && this.fencedBy === undefined
  }

  /** Until both nodes hold the same again. */
  allowAlone(): void {
    if (this.link?.phase === 'equal') return
    this.mayGoOnAlone = true
    this.retry()
  }

  get isReplicating(): boolean {
    return this.link?.isReplicating === true
  }

  occupy(): void {
    this.#isBusy = true
  }

  /** What waited goes on. */
  release(): void {
    this.#isBusy = false
    for (const then of this.#whenFree.splice(0)) then()
    for (const then of this.#whenAnswered.splice(0)) this.unlessAsking(then)
    for (const released of this.#onRelease) released()
    this.host.changed()
  }

  /** As `release`, where nobody is busy: something has changed that writes may wait for. */
  retry(): void {
    if (!this.#isBusy) this.release()
  }

  /** Calls back once it does not ask any more whether it may go on alone: it may, it has its peer again, or is no Primary. */
  unlessAsking(then: () => void): void {
    if (this.asksAlone) this.#whenAnswered.push(then)
    else then()
  }

  whenNotBusy(then: () => void): void {
    if (this.#isBusy) this.#whenFree.push(() => this.whenNotBusy(then))
    else then()
  }

  onRelease(released: () => void): void {
    this.#onRelease.push(released)
  }

  /** Calls back when a connection ends, with what it was. */
  onEnd(ended: (link: Link) => void): void {
    this.#onEnd.push(ended)
  }

  save(change: Partial<MetaRecord>, done: Done): void {
    this.metadata.save(change, error => (error !== undefined ? this.fail(error, done) : done()))
  }

  settle(change: Partial<MetaRecord>, done: Done): void {
    this.metadata.settle(change, error => (error !== undefined ? this.fail(error, done) : done()))
  }

  /** A write succeeded: the blocks that it covers can be read. */
  written(offset: number, length: number): void {
    if (this.unreadable.size === 0) return
    const { blockSize, size } = this.geometry
    for (const block of this.unreadable) {
      const isCovered = offset <= block * blockSize && offset + length >= Math.min(size, (block + 1) * blockSize)
      if (isCovered) this.unreadable.delete(block)
    }
  }

  /** Calls back once all that was received and committed is here, and no crash writes it again. */
  drain(done: Done): void {
    const receiver = this.link?.receiver
    if (receiver?.mode === 'direct') receiver.commitOpen()
    this.log.drain(error => (error !== undefined ? this.fail(error, done) : done()))
  }

  /** Those of data that differs from what the peer has. */
  nextGeneration(): Generations {
    const { current, bases, history } = this.record.generations
    const all = current === '' ? bases : [...bases.filter(base => base !== current), current]
    return {
      current: this.host.newGeneration(),
      bases: all.slice(-basesAtMost),
      history: [...history, ...all.slice(0, -basesAtMost)].slice(-historyAtMost),
    }
  }

  /** Those of data that the peer has too. */
  sharedGenerations(): Generations {
    const { current, bases, history } = this.record.generations
    return { current, bases: [], history: [...history, ...bases].slice(-historyAtMost) }
  }

  /** Those of data that is being replaced by the peer's. */
  copiedGenerations(generation: string): Generations {
    const { current, bases, history } = this.record.generations
    const own = current === '' || current === generation ? [] : [current]
    return { current: generation, bases: [], history: [...history, ...bases, ...own].slice(-historyAtMost) }
  }

  /** Both nodes hold the same from now on. */
  startEqual(link: Link): void {
    if (link !== this.link) return
    link.phase = 'equal'
    this.mayGoOnAlone = false
    link.receiver = new Receiver(this.host, this.log, this.record.checkpoint, {
      isVolatile: this.options.acknowledgeFromMemory,
      failed: error => this.fail(error),
      overflowed: () => this.end('an epoch is larger than the log'),
      committed: checkpoint => this.metadata.note({ checkpoint: Math.max(checkpoint, this.record.checkpoint) }),
    })
  }

  /** The peer is not what it says it is. */
  protocolError(why: string): void {
    this.end(`the peer is not trusted any more: ${why}`)
  }

  /** Ends the connection. */
  end(why: string): void {
    this.why = why
    this.host.disconnect()
    this.lost()
  }

  /** The connection has ended. */
  lost(): void {
    const { link } = this
    if (link === undefined) return
    this.link = undefined
    if (link.isReplicating || link.phase === 'source-starting') this.isOwnGeneration = false
    link.end()
    for (const ended of this.#onEnd) ended(link)
    link.roleAnswer?.(peerLost())
    this.retry()
    this.host.changed()
  }

  /** A file failed: nothing that depends on it is true any more. */
  fail(error: Error, done: Done = () => {}): void {
    this.failure ??= new ProtocolDError('file-failed', `a file of the node failed: ${error.message}`, { cause: error })
    if (this.link !== undefined) this.end(this.failure.message)
    this.release()
    done(this.failure)
  }
}

export const refused = (code: ProtocolDErrorCode, message: string): ProtocolDError => new ProtocolDError(code, message)

export const notPrimary = (): ProtocolDError => refused('not-primary', 'the node is Secondary: promote it first')

export const fenced = (by: number): ProtocolDError =>
  refused('fenced', `a later promotion was made (${by}), and this one is over: demote this node`)

export const peerLost = (): ProtocolDError =>
  refused('peer-lost', 'the connection ended before the peer acknowledged: the checkpoint is not known to count')
