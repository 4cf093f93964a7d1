import { ReplicationError } from '../replication-error.js'
import { dataAtMost, type Message, type StreamMessage } from '../wire/message.js'
import { Acknowledgements } from './acknowledgements.js'
import type { AgentClock } from './agent-clock.js'
import { type Beginning, GroupStream, type StreamUser, unplaced } from './group-stream.js'
import type { HubLink } from './hub-link.js'
import { smallestMemory } from './message-queue.js'
import { type ResyncReason, resyncText } from './resync-reason.js'
import { type RoomWaiter, type SinkStream, SinkVolume } from './sink-volume.js'
import type { TakenPoint } from './taken-point.js'
import type { Base } from './volume-record.js'

export interface SinkGroupOptions {
  name: string
  volumes: readonly { name: string; number: number; size: number }[]
  clock: AgentClock
  /** A UUID. */
  newId(): string
  /** What the caller knows the difference to, from `base` of an earlier one; all is to be sent where there is none. */
  base?: Base | undefined
  epoch?: number | undefined
  /** How many bytes of what the hub has not acknowledged are kept: 256 KiB at least, 64 MiB by default. Who writes more has to wait. */
  memory?: number | undefined
  /** Writes are taken; the replica is `unsettled` until the caller says otherwise. Where the base does not hold, all is to be sent. */
  began(beginning: Beginning): void
  /** The hub has some of another stream, so that no earlier base holds any more: to be known after the process, too. */
  rebased?(base: Base): void
  /**
   * What was not acknowledged may be at the hub or not. Writes fail until `began`.
   *
   * @param since when the oldest message was made that was not acknowledged, by the clock's uptime
   */
  lost(reason: ResyncReason, since: number | undefined): void
  /** As of `GroupStream`. */
  forwarded?: ((seconds: number) => void) | undefined
}

/** The volumes of a guest whose QEMU has the images: what it writes here goes to the hub, and who reads is refused. When the replica is a moment of the disks is for the caller to say. */
export class SinkGroup implements StreamUser, SinkStream {
  /** For what the guest writes, as it writes it. */
  readonly volumes: readonly SinkVolume[]
  /** The same volumes for copies, which make the replica equal. */
  readonly copies: readonly SinkVolume[]
  readonly stream: GroupStream
  readonly pieceAtMost: number
  readonly #options: SinkGroupOptions
  readonly #acknowledgements = new Acknowledgements()
  #waiting: RoomWaiter[] = []
  #isLettingGo = false
  /** By the volume's number, in bytes. */
  readonly #unacknowledged = new Map<number, number>()
  #base: Base | undefined
  /** The hub's replica differs in no more than what the caller knows. */
  #isWhole = false
  #latest: Base | undefined

  constructor(options: SinkGroupOptions) {
    const { name, clock, newId, volumes, forwarded } = options
    const memory = Math.max(options.memory ?? 64 * 1024 * 1024, smallestMemory)
    this.#options = options
    // while half of the memory is free, there is room for one
    this.pieceAtMost = Math.min(dataAtMost, Math.floor(memory / 4))
    this.#base = options.base
    this.volumes = volumes.map(volume => new SinkVolume(this, { ...volume, isCopy: false }))
    this.copies = volumes.map(volume => new SinkVolume(this, { ...volume, isCopy: true }))
    const epoch = options.epoch ?? 0
    const parts = { clock, newId, limits: { memory }, user: this, forwarded }
    this.stream = new GroupStream({ group: name, volumes, epoch, ...parts })
  }

  /** What the hub's replica is known to hold: it differs from the disks in what was written since the last `settled`, at most. */
  get base(): Base | undefined {
    return this.#base
  }

  connected(link: HubLink): void {
    this.stream.connected(link)
  }

  disconnected(): void {
    this.stream.disconnected()
  }

  /** Whether the hub has all durably that was written. */
  get isDrained(): boolean {
    return this.stream.last === this.stream.durable
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

  /** From here on the replica is no moment of the guest's disks. @returns whether there is a stream to say it in */
  unsettled(reason: string): boolean {
    return this.stream.append({ kind: 'unsettled', reason, ...unplaced }) > 0
  }

  /**
   * The replica is a moment of the disks. Settles when the hub has it durably.
   *
   * @param time of that moment, in microseconds since 1970; now by default
   * @throws ReplicationError lost
   */
  async settled(time?: number): Promise<void> {
    await this.#acknowledged(this.stream.append({ kind: 'settled', ...unplaced }, false, time))
  }

  /** A checkpoint by name, of the moment that the replica is. Settles when the hub has it durably. @throws ReplicationError lost */
  async point(name: string, time?: number): Promise<TakenPoint> {
    const message = { kind: 'point' as const, name, ...unplaced }
    await this.#acknowledged(this.stream.append(message, false, time))
    return { name, sequence: message.sequence, time: message.time }
  }

  /** Settles when the hub has durably what was written before. @throws ReplicationError lost */
  flush(): Promise<void> {
    const { last, isOpen } = this.stream
    return isOpen && this.isDrained ? Promise.resolve() : this.#acknowledged(last)
  }

  append(message: StreamMessage): boolean {
    if (this.stream.append(message) === 0) return false
    this.#count(message, 1)
    return true
  }

  /** How much of a volume is on its way to the hub, in bytes. */
  unacknowledged(volume: number): number {
    return this.#unacknowledged.get(volume) ?? 0
  }

  whenRoom(waiter: RoomWaiter): void {
    if (!this.stream.isOpen) waiter.fail()
    else if (this.stream.hasRoom && this.#waiting.length === 0) waiter.go()
    else this.#waiting.push(waiter)
  }

  // as the stream's user

  async beginning(): Promise<void> {}

  begun(beginning: Beginning): void {
    this.#isWhole = beginning.holds && this.#base !== undefined
    if (!this.#isWhole) this.#base = undefined
    this.stream.append({ kind: 'unsettled', reason: resyncText('restart'), ...unplaced })
    this.#options.began(beginning)
  }

  reattached(): void {
    this.#letGo()
  }

  durable(base: Base): void {
    this.#latest = base
    if (!this.#isWhole) return
    const isOther = base.stream !== this.#base?.stream
    this.#base = base
    if (isOther) this.#options.rebased?.(base)
  }

  acknowledged(message: StreamMessage): void {
    const { kind, sequence } = message
    this.#count(message, -1)
    if (kind === 'settled') {
      this.#isWhole = true
      this.#base = this.#latest
    }
    this.#acknowledgements.acknowledged(sequence)
    this.#letGoSoon()
  }

  lost(reason: ResyncReason, since: number | undefined): void {
    for (const { fail } of this.#waiting.splice(0)) fail()
    this.#unacknowledged.clear()
    this.#acknowledgements.lost(resyncText(reason))
    this.#options.lost(reason, since)
  }

  idle(): void {
    this.#letGo()
  }

  answered(): void {}

  #count(message: StreamMessage, times: 1 | -1): void {
    if (!('volume' in message)) return
    const length = 'data' in message ? message.data.length : message.length
    this.#unacknowledged.set(message.volume, this.unacknowledged(message.volume) + times * length)
  }

  #letGoSoon(): void {
    if (this.#waiting.length === 0 || this.#isLettingGo) return
    this.#isLettingGo = true
    this.#options.clock.soon(() => {
      this.#isLettingGo = false
      this.#letGo()
    })
  }

  #letGo(): void {
    while (this.#waiting.length > 0 && this.stream.hasRoom) this.#waiting.shift()!.go()
  }

  /** @param sequence 0 where no stream took it */
  async #acknowledged(sequence: number): Promise<void> {
    if (sequence === 0) throw new ReplicationError('lost', 'the hub takes nothing of this group now')
    await this.#acknowledgements.of(sequence)
  }
}
