import { BlockSet } from '../../keep/block-set.js'
import type { BlockBackend } from '../../nbd/block-backend.js'
import { ReplicationError } from '../replication-error.js'
import { granuleSize, type Message, type ReplyMessage, type StreamMessage } from '../wire/message.js'
import { Acknowledgements } from './acknowledgements.js'
import type { AgentClock } from './agent-clock.js'
import { firstGranule, granuleEnd } from './granules.js'
import { GroupBase } from './group-base.js'
import { GroupProgress, type GroupStatus } from './group-progress.js'
import { type Beginning, GroupStream, type StreamUser, unplaced } from './group-stream.js'
import type { HubLink } from './hub-link.js'
import { smallestMemory } from './message-queue.js'
import { ProtectedVolume, type VolumeGroup } from './protected-volume.js'
import { Resync } from './resync.js'
import { type ResyncReason, resyncText } from './resync-reason.js'
import { Spill, type SpillFile } from './spill.js'
import type { TakenPoint } from './taken-point.js'
import type { VolumeFiles } from './volume-files.js'
import { type ActivityLimits, VolumeKeep } from './volume-keep.js'
import type { Base } from './volume-record.js'
import type { Failure } from './volume-state.js'

const mebibyte = 1024 * 1024

export interface VolumeOptions {
  name: string
  /** Within the group: 0 to 255. */
  number: number
  /** That of this disk and no other one: a UUID. */
  id: string
  image: BlockBackend
  /** Which image it is: another text where it is another one, which is compared. */
  identity?: string | undefined
  /** When the image was written to last, as `KeptVolume` has it. */
  written?(): string | undefined
  files: VolumeFiles
}

export interface GroupOptions {
  name: string
  volumes: readonly VolumeOptions[]
  clock: AgentClock
  /** The host's boot. */
  boot: string
  /** A UUID. */
  newId(): string
  /** Of the last take-over that is known of. 0 by default. */
  epoch?: number | undefined
  /** How many bytes of what the hub has not acknowledged are kept in memory: 256 KiB at least, 64 MiB by default. */
  memory?: number | undefined
  /** Where more of it is kept, and how much, in bytes. Nowhere by default. */
  spill?: { file: SpillFile; size: number } | undefined
  /** For how long a hub may be silent, in milliseconds. 10 s by default. */
  heartbeat?: number | undefined
  /** How far a recovery may go back, in seconds. 10 by default. */
  target?: number | undefined
  /** Whether the volumes are protected from the beginning. True by default. */
  isProtecting?: boolean | undefined
  /** Since when it is paused, in microseconds since 1970: it begins so. */
  pausedSince?: number | undefined
  activity?: ActivityLimits | undefined
  /** Something that the status shows has changed. */
  changed?(): void
  /** As of `GroupStream`. */
  forwarded?: ((seconds: number) => void) | undefined
}

/** The disks of a guest that are replicated together, each of which is served as its `ProtectedVolume`. */
export class ProtectedGroup implements VolumeGroup, StreamUser {
  readonly volumes: readonly ProtectedVolume[]
  readonly stream: GroupStream
  readonly #options: GroupOptions
  readonly #resync: Resync
  readonly #acknowledgements = new Acknowledgements()
  readonly #base: GroupBase
  readonly #progress: GroupProgress
  #beginnings = 0
  #isProtecting: boolean
  #isPaused: boolean
  #failure: Failure | undefined
  #isClosed = false

  private constructor(options: GroupOptions, keeps: readonly VolumeKeep[]) {
    const { name, clock, newId, memory = 64 * mebibyte, spill } = options
    this.#options = options
    this.#isProtecting = options.isProtecting ?? true
    this.#isPaused = options.pausedSince !== undefined
    this.volumes = options.volumes.map((volume, index) => new ProtectedVolume(this, { ...volume, keep: keeps[index]! }))
    this.#base = new GroupBase({ volumes: this.volumes, clock, isProtecting: () => this.isProtecting })
    this.stream = new GroupStream({
      group: name,
      volumes: this.volumes.map(({ number, name: volume, size }) => ({ number, name: volume, size })),
      epoch: options.epoch ?? 0,
      ...{ clock, newId, user: this, forwarded: options.forwarded },
      limits: { memory: Math.max(memory, smallestMemory), spill: spill && new Spill(spill.file, spill.size) },
    })
    this.#resync = new Resync({ disks: this.volumes, stream: this.stream, clock, settled: () => this.#settled() })
    const [untrusted] = keeps.flatMap(keep => keep.untrusted)
    this.#progress = new GroupProgress({
      ...{ name, clock, volumes: this.volumes, stream: this.stream, resync: this.#resync },
      ...{ heartbeat: options.heartbeat, target: options.target, since: options.pausedSince },
      reason: untrusted?.reason ?? 'restart',
      isFirst: keeps.every(({ record }) => record.compare === 'new-volume'),
    })
    if (!this.#isProtecting || this.#isPaused) this.stream.pause('paused')
  }

  /**
   * Reads what was kept of the volumes. Each can be written to from now on, with a hub or without.
   *
   * @throws ReplicationError wrong-state where metadata is another volume's; a file's error
   */
  static async open(options: GroupOptions): Promise<ProtectedGroup> {
    const { boot, activity } = options
    const keeps: VolumeKeep[] = []
    try {
      for (const { id, image, identity, written, files } of options.volumes) {
        const kept = { id, size: image.size, image: identity, written: written?.(), boot, activity }
        keeps.push(await VolumeKeep.open(files, kept))
      }
      const group = new ProtectedGroup(options, keeps)
      // while it is not marked, nothing may be believed that was
      if (!group.isProtecting) await group.#base.distrust('was-unprotected')
      return group
    } catch (error) {
      for (const keep of keeps) keep.close()
      throw error
    }
  }

  get isProtecting(): boolean {
    return this.#isProtecting && this.#failure === undefined
  }

  get base(): Base | undefined {
    return this.#base.current
  }

  /** There is a connection to the hub. */
  connected(link: HubLink): void {
    this.stream.connected(link)
    this.#changed()
  }

  disconnected(): void {
    this.#progress.noteEnd()
    this.stream.disconnected()
    this.#changed()
  }

  /** Takes a message of the hub to this group. */
  receive(message: Message): void {
    if (message.kind === 'ready') this.stream.ready()
    else this.stream.receive(message)
  }

  /** The connection takes more. */
  drained(): void {
    this.stream.pumpSoon()
  }

  /** Writes are marked only. `resume` sends what differs. */
  pause(): void {
    if (this.#isPaused) return
    this.#progress.noteEnd()
    this.#isPaused = true
    this.stream.pause('paused')
    this.#changed()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.isProtecting) this.stream.resume()
    this.#changed()
  }

  /** Nothing is marked and sent any more; `start` compares all. @throws a file's error; then it goes on */
  async stop(): Promise<void> {
    if (!this.#isProtecting) return
    this.#progress.noteEnd()
    // first of all: nothing that the hub says from now on is a reason to trust
    this.stream.pause('was-unprotected')
    try {
      await this.#base.distrust('was-unprotected')
    } catch (error) {
      if (!this.#isPaused) this.stream.resume()
      throw error
    }
    this.#isProtecting = false
    // it may have been resumed meanwhile
    this.stream.pause('was-unprotected')
    this.#changed()
  }

  async start(): Promise<void> {
    if (this.#isProtecting) return
    this.#isProtecting = true
    this.#progress.expect('was-unprotected', true)
    // those that began unmarked; all others are marked
    for (const volume of this.volumes) await volume.through()
    this.#base.compareAll()
    if (!this.#isPaused && this.isProtecting) this.stream.resume()
    this.#changed()
  }

  /**
   * A checkpoint: all writes that were answered before are in it. Settles when the hub has it durably.
   *
   * @throws ReplicationError bad-name; wrong-state where the hub has no moment of the group now; lost where the stream ended before it was durable
   */
  async point(name: string): Promise<TakenPoint> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
      throw new ReplicationError('bad-name', `a checkpoint cannot be named ${JSON.stringify(name)}`)
    const message = { kind: 'point' as const, name, ...unplaced }
    const sequence = this.#resync.isEnding ? this.stream.append(message) : 0
    if (sequence === 0) {
      const why = this.#isPaused ? 'the protection is paused' : 'the replica is not up to date'
      throw new ReplicationError('wrong-state', `no checkpoint can be taken: ${why}`)
    }
    await this.#acknowledgements.of(sequence)
    return { name, sequence, time: message.time }
  }

  /**
   * Which parts of a volume may differ from all that the hub has had of it, in bytes: the first ones from an offset on, at most so many.
   *
   * @throws ReplicationError wrong-state while a stream is open: that changes with every write; not-found
   */
  differing(number: number, from: number, most: number): { offset: number; length: number }[] {
    this.#checkApart()
    const { ledger, size } = this.#volume(number)
    const granules = new BlockSet(Math.ceil(size / granuleSize))
    granules.addAll(ledger.differing)
    granules.addAll(ledger.unknown)
    const runs: { offset: number; length: number }[] = []
    for (let first = granules.next(firstGranule(from)); first !== undefined && runs.length < most; ) {
      const { count } = granules.runAt(first)
      const offset = first * granuleSize
      runs.push({ offset, length: Math.min(count * granuleSize, size - offset) })
      first = granules.next(first + count)
    }
    return runs
  }

  /**
   * The disks were made equal to what the hub has, by writes of the hub's, and are durable: from now on the bitmaps rest on that.
   *
   * @throws ReplicationError wrong-state while a stream is open; a file's error
   */
  async adopt(base: Base, epoch: number): Promise<void> {
    this.#checkApart()
    for (const volume of this.volumes) await volume.quiet()
    for (const volume of this.volumes) await volume.flush()
    await this.#base.replace(base)
    // where nothing is marked, what is equal now may differ at any moment
    if (this.#isProtecting) {
      for (const { keep } of this.volumes) await keep.trust()
      this.#progress.expect('restart', false)
      for (const { ledger } of this.volumes) ledger.settle()
    }
    this.stream.adopt(epoch)
    this.#changed()
  }

  /** Another recovery point is wanted from now on, in seconds. */
  retarget(target: number): void {
    this.#progress.target = target
  }

  get status(): GroupStatus {
    return this.#progress.status({
      isProtecting: this.#isProtecting,
      isPaused: this.#isPaused,
      failure: this.#failure,
    })
  }

  /** Ends it; nothing may be written any more. What is kept says all that is known. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#base.close()
    for (const volume of this.volumes) await volume.quiet()
    this.stream.pause('paused')
    this.stream.disconnected()
    if (this.isProtecting) {
      await this.#base.clear()
      for (const { keep } of this.volumes) await keep.settle()
      for (const [index, { keep }] of this.volumes.entries()) await keep.end(this.#options.volumes[index]!.written?.())
    }
    for (const { keep } of this.volumes) keep.close()
  }

  // as the volumes' group

  writeFailed(): void {
    if (this.#resync.isEnding) this.#resume('write-failed')
  }

  keepFailed(volume: ProtectedVolume, error: Error): void {
    if (this.#failure !== undefined) return
    try {
      for (const { keep } of this.volumes) keep.discard()
    } catch {
      throw error
    }
    this.#progress.noteEnd()
    const why = `the metadata of ${volume.name} cannot be written: ${error.message}`
    this.#failure = { why, code: 'file-failed' }
    this.stream.pause('unreadable-record')
    this.#changed()
  }

  // as the stream's user

  async beginning({ holds }: Beginning): Promise<void> {
    const turn = ++this.#beginnings
    if (holds && this.base !== undefined) return
    // of those that are compared anyway the reason is known
    if (this.volumes.some(({ keep }) => keep.record.compare === null)) this.#progress.expect('other-replica')
    this.#progress.noteLoss()
    await this.#base.distrust('other-replica')
    // another connection was faster
    if (turn !== this.#beginnings) return
    this.#base.drop()
  }

  begun(): void {
    this.#base.begin()
    this.#resync.begin(this.#progress.reason)
    this.#changed()
  }

  acknowledged(message: StreamMessage): void {
    this.#acknowledgements.acknowledged(message.sequence)
    if ('volume' in message) {
      const length = 'data' in message ? message.data.length : message.length
      const volume = this.#volume(message.volume)
      if (message.kind === 'write' || message.kind === 'zero') volume.unacknowledged -= length
      const { offset, sequence } = message
      volume.ledger.acknowledged(firstGranule(offset), granuleEnd(offset, length), sequence)
    } else if (message.kind === 'settled') this.#resync.acknowledged(message)
    if (message.kind === 'fill' || message.kind === 'fillZero') this.#resync.acknowledged(message)
  }

  reattached(): void {
    this.#progress.noteReattached()
    this.#changed()
  }

  durable(base: Base): void {
    this.#base.advance(base)
  }

  lost(reason: ResyncReason, since: number | undefined): void {
    this.#progress.noteEnd(since)
    this.#progress.expect(reason)
    for (const volume of this.volumes) {
      volume.ledger.forgetStream()
      volume.unacknowledged = 0
    }
    this.#resync.stop()
    this.#acknowledgements.lost(resyncText(reason))
    this.#changed()
  }

  idle(): void {
    this.#resync.advance()
  }

  answered(request: number, message: ReplyMessage | undefined): void {
    this.#resync.answered(request, message)
  }

  /** @throws ReplicationError not-found */
  #volume(number: number): ProtectedVolume {
    const found = this.volumes.find(volume => volume.number === number)
    if (found === undefined) throw new ReplicationError('not-found', `${this.#options.name} has no volume ${number}`)
    return found
  }

  #checkApart(): void {
    if (this.stream.isOpen)
      throw new ReplicationError(
        'wrong-state',
        `${this.#options.name} is being replicated from here: it is not failed back`,
      )
  }

  #resume(reason: ResyncReason): void {
    this.#progress.noteEnd()
    this.#resync.begin(reason)
    this.#changed()
  }

  /** The replica was the disks, and the hub has that durably. */
  #settled(): void {
    this.#progress.noteSettled()
    this.#base.trustSoon()
    this.#changed()
  }

  #changed(): void {
    this.#options.changed?.()
  }
}
