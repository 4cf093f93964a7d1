import { digestsAtMost, granuleSize, type ReplyMessage, type StreamMessage } from '../wire/message.js'
import type { AgentClock } from './agent-clock.js'
import { Comparison } from './comparison.js'
import { isZero } from './granule-digest.js'
import { type GroupStream, unplaced } from './group-stream.js'
import type { ReplicatedDisk } from './replicated-disk.js'
import { type ResyncReason, resyncText } from './resync-reason.js'

/** How much of it is on the way to the hub, in bytes: what the guest writes waits behind it. */
const fillsAtMost = 8 * 1024 * 1024
/** How many requests for digests, and for how many granules each. */
const comparisonsAtMost = 4
const comparedAtOnce = digestsAtMost / 4
/** How many granules are read before others have their turn, and at the same time. */
const turn = 4
const readsAtMost = 8
/** When what failed is tried again, in milliseconds. */
const retryAfter = 5000

export interface ResyncOptions {
  disks: readonly ReplicatedDisk[]
  stream: GroupStream
  clock: AgentClock
  /** The hub has all of it durably: its replica was the disks, and goes on as they do. */
  settled(): void
}

/** What of a disk waits until it is tried again. */
interface Postponed {
  disk: ReplicatedDisk
  granule: number
}

/**
 * Brings the replica up to date, in the stream and beside what the guest writes: what is unknown is compared, what differs is sent as it is at the moment it
 * takes its place in the stream. When nothing is left, the replica is what the disks are.
 */
export class Resync {
  readonly #options: ResyncOptions
  #phase: 'none' | 'running' | 'settling' | 'settled' = 'none'
  #reason: ResyncReason | undefined
  #total = 0
  #startedAt = 0
  /** The sequence of the mark that ends it. */
  #endsWith = 0
  /** In bytes, of what is not acknowledged. */
  #fills = 0
  #reads = 0
  /** Counts the streams: a read that began in an earlier one is of no use. */
  #stream = 0
  readonly #comparisons = new Map<number, Comparison>()
  readonly #cursors = new Map<ReplicatedDisk, number>()
  readonly #postponed: Postponed[] = []
  #retry: Disposable | undefined
  #failure: Error | undefined
  #isAdvanceWanted = false

  constructor(options: ResyncOptions) {
    this.#options = options
  }

  /** The replica is what the disks are, but for what is in the stream; and the hub has said so. */
  get isSettled(): boolean {
    return this.#phase === 'settled'
  }

  /** From here on the stream's places are moments of the guest's disks. */
  get isEnding(): boolean {
    return this.#phase === 'settling' || this.#phase === 'settled'
  }

  get reason(): ResyncReason | undefined {
    return this.#reason
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** When it began, by the clock's uptime. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** How many granules there were to compare or to send at the beginning. */
  get total(): number {
    return this.#total
  }

  /** How many are left. */
  get left(): number {
    let left = this.#reads + this.#postponed.length
    for (const { ledger } of this.#options.disks) left += ledger.open
    for (const { count } of this.#comparisons.values()) left += count
    return left
  }

  /** A stream takes messages: this is the first of it. Or the replica has to be brought up to date once more. */
  begin(reason: ResyncReason): void {
    const { stream, clock } = this.#options
    if (this.#phase === 'running') return
    this.#phase = 'running'
    this.#reason = reason
    this.#startedAt = clock.uptime()
    this.#total = this.left
    stream.append({ kind: 'unsettled', reason: resyncText(reason), ...unplaced })
    this.advanceSoon()
  }

  /** The stream is gone. */
  stop(): void {
    this.#phase = 'none'
    this.#stream++
    this.#fills = 0
    this.#failure = undefined
    this.#retryPostponed()
  }

  /** The hub has it durably. */
  acknowledged(message: StreamMessage): void {
    if (message.kind === 'fill') this.#fills -= message.data.length
    else if (message.kind === 'fillZero') this.#fills -= granuleSize
    else if (message.kind === 'settled' && this.#phase === 'settling' && message.sequence === this.#endsWith) {
      this.#phase = 'settled'
      this.#options.settled()
    }
  }

  /** An answer to what was asked; or, without a message, there will be none. */
  answered(request: number, message: ReplyMessage | undefined): void {
    const comparison = this.#comparisons.get(request)
    if (comparison === undefined) return
    if (message?.kind === 'bytes' && comparison.answer(message.data)) {
      this.#finishWhole(request, comparison)
      this.advanceSoon()
      return
    }
    this.#comparisons.delete(request)
    comparison.abandon()
    if (message?.kind === 'bytes') this.#options.stream.reject('the hub answers with digests of another length')
    else if (message !== undefined)
      this.#failed(new Error(`the hub has no digests${message.kind === 'failed' ? `: ${message.message}` : ''}`))
  }

  advanceSoon(): void {
    if (this.#isAdvanceWanted) return
    this.#isAdvanceWanted = true
    this.#options.clock.soon(() => {
      this.#isAdvanceWanted = false
      this.advance()
    })
  }

  /** Does the next steps, where there is room for them. */
  advance(): void {
    for (let steps = 0; this.#phase === 'running' && this.#options.stream.isRoomy; steps++) {
      if (steps === turn) {
        this.advanceSoon()
        return
      }
      if (this.#computeOne() || this.#fillOne() || this.#askOne()) continue
      if (this.left === 0) this.#settle()
      return
    }
  }

  #settle(): void {
    this.#phase = 'settling'
    this.#failure = undefined
    this.#endsWith = this.#options.stream.append({ kind: 'settled', ...unplaced })
  }

  #computeOne(): boolean {
    if (this.#reads >= readsAtMost) return false
    for (const [request, comparison] of this.#comparisons) {
      const done = this.#tried(() => comparison.computeNext())
      if (done === false || done === undefined) {
        // what is left of it may have moved meanwhile
        this.#finishWhole(request, comparison)
        if (done === false) continue
      } else
        this.#read(done, () => {
          if (!comparison.isOver) this.#finishWhole(request, comparison)
        })
      return true
    }
    return false
  }

  /** What cannot be read is taken for different, and its error told when it is to be sent. */
  #tried(compute: () => void | Promise<void> | false): void | Promise<void> | false {
    try {
      return compute()
    } catch {
      return undefined
    }
  }

  #finishWhole(request: number, comparison: Comparison): void {
    if (!comparison.isComplete) return
    this.#comparisons.delete(request)
    comparison.finish()
  }

  #fillOne(): boolean {
    if (this.#fills >= fillsAtMost || this.#reads >= readsAtMost) return false
    for (const disk of this.#options.disks) {
      const { differing } = disk.ledger
      if (differing.size === 0) continue
      const granule = differing.next(this.#cursors.get(disk) ?? 0) ?? differing.next(0)!
      this.#cursors.set(disk, granule + 1)
      this.#fill(disk, granule)
      return true
    }
    return false
  }

  #fill(disk: ReplicatedDisk, granule: number): void {
    const { ledger } = disk
    const stream = this.#stream
    const use = (bytes: Uint8Array): void => {
      const sequence = stream === this.#stream ? this.#send(disk, granule, bytes) : 0
      if (sequence > 0) ledger.filled(granule, sequence)
      else ledger.differ(granule, granule + 1)
    }
    try {
      const done = disk.image.readGranule(granule, use)
      if (done === undefined) return
      ledger.enter(granule, granule + 1)
      ledger.differing.delete(granule)
      const over = () => ledger.leave(granule, granule + 1)
      this.#read(
        done.catch((error: Error) => this.#postpone(disk, granule, error)),
        over,
      )
    } catch (error) {
      ledger.differing.delete(granule)
      this.#postpone(disk, granule, error as Error)
    }
  }

  #send({ number: volume }: ReplicatedDisk, granule: number, data: Uint8Array): number {
    const offset = granule * granuleSize
    const { stream } = this.#options
    // the guest may have filled the queue since it was asked for: never is a write dropped for a fill
    if (!stream.isRoomy) return 0
    if (isZero(data)) {
      this.#fills += granuleSize
      return stream.append({ kind: 'fillZero', volume, offset, length: data.length, ...unplaced })
    }
    this.#fills += data.length
    return stream.append({ kind: 'fill', volume, offset, data, ...unplaced }, true)
  }

  #askOne(): boolean {
    const { disks, stream } = this.#options
    if (this.#retry !== undefined) return false
    // before, a hub that crashes may lose what it has of earlier streams, and with it what was compared
    if (this.#comparisons.size >= comparisonsAtMost || stream.durable === 0) return false
    for (const disk of disks) {
      const first = disk.ledger.unknown.next(0)
      if (first === undefined) continue
      const { count } = disk.ledger.unknown.runAt(first, comparedAtOnce)
      const offset = first * granuleSize
      const length = Math.min(count * granuleSize, disk.image.image.size - offset)
      const request = stream.requestDigests({ volume: disk.number, offset, length })
      if (request === undefined) return false
      this.#comparisons.set(request, new Comparison(disk, first, count))
      return true
    }
    return false
  }

  /** Something is read; `over` follows. */
  #read(done: Promise<unknown>, over: () => void): void {
    this.#reads++
    const after = () => {
      this.#reads--
      over()
      this.advanceSoon()
    }
    done.then(after, after)
  }

  /** What cannot be read now is tried later; the rest goes on. */
  #postpone(disk: ReplicatedDisk, granule: number, error: Error): void {
    disk.ledger.enter(granule, granule + 1)
    this.#postponed.push({ disk, granule })
    this.#failed(error)
  }

  #failed(error: Error): void {
    this.#failure = error
    this.#retry ??= this.#options.clock.after(retryAfter, () => {
      this.#failure = undefined
      this.#retryPostponed()
      this.advanceSoon()
    })
  }

  #retryPostponed(): void {
    this.#retry?.[Symbol.dispose]()
    this.#retry = undefined
    for (const { disk, granule } of this.#postponed.splice(0)) {
      disk.ledger.differing.add(granule)
      disk.ledger.leave(granule, granule + 1)
    }
  }
}
