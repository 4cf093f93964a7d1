import { ReplicationError } from '../replication-error.js'
import type { Attached, Message, Part, ReplyMessage, StreamMessage, VolumeInfo } from '../wire/message.js'
import type { AgentClock } from './agent-clock.js'
import type { HubLink } from './hub-link.js'
import { Lag } from './lag.js'
import { MessageQueue, type QueueLimits } from './message-queue.js'
import type { ResyncReason } from './resync-reason.js'
import type { Base } from './volume-record.js'
import type { Failure } from './volume-state.js'

/** How much is given to the connection before it has left, in bytes. */
const unsentAtMost = 4 * 1024 * 1024
/** How long what is appended waits for more, in milliseconds, unless so many bytes wait: what leaves together costs both ends less. */
const gatherTime = 5
const gatheredAtMost = 512 * 1024
/** When it is tried again where the hub refused, in milliseconds. */
const retryAfter = 5000
/** What no time makes good: another one has taken over, or somebody has to be asked. */
const isFinal = (code: string): boolean => ['fenced', 'not-allowed'].includes(code)
/** The hub may take later what it does not take now. */
const isTemporary = (code: string): boolean => ['full', 'in-use', 'owned', 'lost'].includes(code)

/** Of a message that has no place in a stream yet. */
export const unplaced = { channel: 0, sequence: 0, time: 0 }

/** What the hub said of the replica when a stream began. */
export interface Beginning {
  replica: string
  /** Whether the base holds: it has what the bitmaps rest on. */
  holds: boolean
}

/** Who has the volumes. None of these is called before the call that leads to it returns, but `lost`. */
export interface StreamUser {
  /** What the bitmaps rest on. */
  readonly base: Base | undefined
  /** A stream can begin: it does when this settles, with what `begun` appends. */
  beginning(beginning: Beginning): Promise<void>
  begun(beginning: Beginning): void
  /** The stream goes on, over another connection. */
  reattached(): void
  /** All up to this sequence is durable at the hub; each of those messages is `acknowledged` then. */
  durable(base: Base): void
  acknowledged(message: StreamMessage): void
  /**
   * The stream is gone with what was not acknowledged: the hub may have that or not. Nothing is taken until another one begins.
   *
   * @param since when the oldest message was made that was not acknowledged, by the clock's uptime
   */
  lost(reason: ResyncReason, since: number | undefined): void
  /** There is a connection, and nothing waits for it. */
  idle(): void
  /** An answer to a request; or, without a message, its connection is gone. */
  answered(request: number, message: ReplyMessage | undefined): void
}

export interface GroupStreamOptions {
  group: string
  volumes: readonly VolumeInfo[]
  /** Of the last take-over that is known of. */
  epoch: number
  clock: AgentClock
  limits: QueueLimits
  /** A UUID. */
  newId(): string
  user: StreamUser
  /** The hub acknowledged something: how old the oldest of it was, in seconds, to 10 ms. */
  forwarded?: ((seconds: number) => void) | undefined
}

/** Why nothing goes to the hub, though it should. */
export interface Standstill {
  code: string
  message: string
  /** Nothing is tried any more before the hub says that it is ready, or there is another connection. */
  isFinal: boolean
}

/** What a standstill is that no time ends. */
export const failureOf = (standstill: Readonly<Standstill> | undefined): Failure | undefined =>
  standstill?.isFinal === true ? { why: standstill.message, code: standstill.code } : undefined

/**
 * What a group sends: each message gets its place, waits until the hub has it durably, and is sent again where a connection
 * was lost. Where there is no room for it the stream is dropped: then the bitmaps alone know what differs, and another
 * stream begins.
 */
export class GroupStream {
  readonly #options: GroupStreamOptions
  #link: HubLink | undefined
  /** By the attach that is not answered, or whose stream is about to begin. */
  #asked: { stream: string; isNew: boolean; isAnswered: boolean } | undefined
  #isPaused = false
  #stream: OpenStream | undefined
  /** The hub takes the stream over this connection. */
  #isAttached = false
  #standstill: Standstill | undefined
  #retry: Disposable | undefined
  #isPumpWanted = false
  #gathering: Disposable | undefined
  /** In bytes. */
  #gathered = 0
  #requests = 0
  readonly #open = new Set<number>()
  #epoch: number

  constructor(options: GroupStreamOptions) {
    this.#options = options
    this.#epoch = options.epoch
  }

  /** Whether messages are taken. */
  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }

  get isAttached(): boolean {
    return this.#isAttached
  }

  get standstill(): Readonly<Standstill> | undefined {
    return this.#standstill
  }

  get epoch(): number {
    return this.#epoch
  }

  /** When the hub was heard last, by the clock's uptime. */
  get heard(): number | undefined {
    return this.#link?.heard
  }

  /** The last sequence that the hub has durably. 0 where there is none. */
  get durable(): number {
    return this.#stream?.durable ?? 0
  }

  /** The last sequence. */
  get last(): number {
    return this.#stream?.last ?? 0
  }

  /** In bytes, of what is not acknowledged. */
  get queued(): number {
    return this.#stream?.queue.bytes ?? 0
  }

  /** When the oldest message was made that is not acknowledged, by the clock's uptime. */
  get since(): number | undefined {
    return this.#stream?.lag.since
  }

  /** Whether most of the memory is free, be there a connection or not. */
  get hasRoom(): boolean {
    return this.#stream?.queue.isRoomy === true
  }

  /** Whether fills have room besides what the guest writes. */
  get isRoomy(): boolean {
    return this.#isAttached && this.hasRoom
  }

  /**
   * Gives a message its place (which it has room for: `unplaced`), and sends it soon.
   *
   * @param isOwn whether its data stays as it is; where not, it is copied
   * @param time of the moment that it is about, in microseconds since 1970. Now by default
   * @returns its sequence; 0 where no stream takes it
   */
  append(message: StreamMessage, isOwn = false, time = this.#options.clock.now()): number {
    const stream = this.#stream
    if (stream === undefined) return 0
    const { clock } = this.#options
    const sequence = stream.last + 1
    message.sequence = sequence
    message.time = time
    if (!stream.queue.push(message, isOwn)) {
      this.drop('queue-overflow')
      return 0
    }
    stream.last = sequence
    stream.lag.made(sequence, clock.uptime())
    if (this.#isAttached) this.#gather(message)
    return sequence
  }

  /** Asks for the digests of a part. `answered` follows, unless this gives nothing. */
  requestDigests(part: Part): number | undefined {
    if (!this.#isAttached) return undefined
    const request = ++this.#requests
    this.#open.add(request)
    const { channel } = this.#link!
    this.#link!.send({ kind: 'digestsRequest', channel, request, ...part })
    return request
  }

  /** The hub does not keep to the protocol. */
  reject(problem: string): void {
    this.#link?.reject(new ReplicationError('protocol', problem))
  }

  /** There is a connection. */
  connected(link: HubLink): void {
    this.disconnected()
    this.#link = link
    this.#attach()
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#link = undefined
    this.#leave()
    // that another one has taken over stays true until the hub says otherwise
    if (this.#standstill?.isFinal !== true) this.#standstill = undefined
  }

  /** Nothing is sent any more before `resume`: what is not acknowledged is dropped. */
  pause(reason: ResyncReason): void {
    this.#isPaused = true
    this.#retry?.[Symbol.dispose]()
    this.drop(reason)
  }

  resume(): void {
    this.#isPaused = false
    this.#attach()
  }

  /** Forgets what is not acknowledged; a new stream begins when the hub takes it. */
  drop(reason: ResyncReason): void {
    const stream = this.#stream
    this.#stream = undefined
    if (this.#isAttached) {
      this.#isAttached = false
      this.#link!.send({ kind: 'detach', channel: this.#link!.channel })
      this.#options.clock.soon(() => this.#attach())
    }
    this.#failRequests()
    if (stream !== undefined) this.#options.user.lost(reason, stream.lag.since)
  }

  /** Another take-over is known of, and the hub takes the group from here. */
  adopt(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch)
    this.ready()
  }

  /** The hub may take again what it refused. */
  ready(): void {
    if (this.#isAttached || this.#asked !== undefined) return
    this.#standstill = undefined
    this.#attach()
  }

  /** Takes a message of the hub to this group. */
  receive(message: Message): void {
    switch (message.kind) {
      case 'attached':
        this.#attached(message)
        break
      case 'refused':
        if (this.#asked !== undefined && !this.#asked.isAnswered) this.#stop(message)
        break
      case 'stopped':
        // what is of an earlier attach says nothing of this one
        if (this.#isAttached || this.#asked?.isAnswered === true) this.#stop(message)
        break
      case 'durable':
        if (this.#isAttached) this.#durable(message.sequence)
        break
      case 'bytes':
      case 'done':
      case 'failed':
        if (this.#open.delete(message.request)) this.#options.user.answered(message.request, message)
        break
      default:
    }
  }

  /** Sends what the connection takes, when what has arrived is handled. */
  pumpSoon(): void {
    if (this.#isPumpWanted) return
    this.#isPumpWanted = true
    this.#options.clock.soon(() => {
      this.#isPumpWanted = false
      this.#pump()
    })
  }

  #attach(): void {
    if (this.#link === undefined || this.#asked !== undefined || this.#isAttached || this.#isPaused) return
    this.#retry?.[Symbol.dispose]()
    const { group, volumes, newId, user } = this.#options
    const stream = this.#stream
    const id = stream?.id ?? newId()
    this.#asked = { stream: id, isNew: stream === undefined, isAnswered: false }
    this.#link.send({
      kind: 'attach',
      channel: this.#link.channel,
      group,
      epoch: this.#epoch,
      stream: id,
      oldest: (stream?.durable ?? 0) + 1,
      previous: user.base,
      volumes,
    })
  }

  #attached({ epoch, replica, received, holds }: Attached): void {
    const link = this.#link
    const asked = this.#asked
    if (link === undefined || asked === undefined || asked.isAnswered) return
    if (epoch < this.#epoch) {
      link.reject(new ReplicationError('protocol', `the hub answers with the older epoch ${epoch}`))
      return
    }
    this.#epoch = epoch
    const stream = this.#stream
    if (this.#isPaused || (!asked.isNew && stream?.id !== asked.stream)) {
      // what was asked is not wanted any more
      this.#asked = undefined
      link.send({ kind: 'detach', channel: link.channel })
      this.#attach()
    } else if (stream !== undefined) {
      this.#asked = undefined
      this.#goOn(stream, link, replica, received, holds)
    } else {
      asked.isAnswered = true
      this.#begin(link, asked, { replica, holds })
    }
  }

  #begin(link: HubLink, asked: { stream: string }, beginning: Beginning): void {
    const { user, limits } = this.#options
    const isOver = () => this.#link !== link || this.#asked !== asked
    const withdraw = () => {
      this.#asked = undefined
      link.send({ kind: 'detach', channel: link.channel })
    }
    user.beginning(beginning).then(
      () => {
        if (isOver()) return
        if (this.#isPaused) {
          withdraw()
          return
        }
        this.#asked = undefined
        this.#standstill = undefined
        this.#stream = new OpenStream(asked.stream, beginning.replica, limits)
        this.#isAttached = true
        user.begun(beginning)
        this.pumpSoon()
      },
      (error: Error) => {
        if (isOver()) return
        withdraw()
        this.#standstill = { code: 'file-failed', message: error.message, isFinal: false }
        this.#retryLater()
      },
    )
  }

  /** The connection is another one, the stream the same. */
  #goOn(stream: OpenStream, link: HubLink, replica: string, received: number | undefined, holds: boolean): void {
    const isPossible = received === undefined || (Number.isSafeInteger(received) && received <= stream.sentAtMost)
    if (!isPossible) {
      const problem = `the hub has received message ${received}, of ${stream.sentAtMost} sent`
      link.reject(new ReplicationError('protocol', problem))
      return
    }
    this.#isAttached = true
    const isSame = replica === stream.replica && (received ?? 0) >= stream.durable
    // of a stream that never began there, the replica is what it was
    if (!isSame || (received === undefined && !holds)) {
      this.drop('other-replica')
      return
    }
    this.#standstill = undefined
    stream.sent = Math.max(received ?? 0, stream.durable)
    this.#options.user.reattached()
    if (received !== undefined) this.#durable(received)
    this.pumpSoon()
  }

  #durable(sequence: number): void {
    const stream = this.#stream!
    if (!(Number.isSafeInteger(sequence) && sequence >= stream.durable && sequence <= stream.sentAtMost)) {
      const problem = `the hub acknowledges message ${sequence}; sent is ${stream.sentAtMost}, acknowledged ${stream.durable}`
      this.#link!.reject(new ReplicationError('protocol', problem))
      return
    }
    if (sequence === stream.durable) return
    const { user, clock, forwarded } = this.#options
    const { since } = stream.lag
    if (since !== undefined) forwarded?.((clock.uptime() - since) / 1000)
    user.durable({ replica: stream.replica, stream: stream.id, sequence })
    stream.durable = sequence
    stream.sent = Math.max(stream.sent, sequence)
    stream.lag.acknowledged(sequence, stream.last)
    stream.queue.release(sequence, message => user.acknowledged(message))
    this.#gather()
  }

  /** Sends soon, with what is appended until then. */
  #gather(message?: StreamMessage): void {
    if (message !== undefined && 'data' in message) this.#gathered += message.data.length
    // somebody waits for these
    const isWaitedFor = message?.kind === 'point' || message?.kind === 'settled'
    if (isWaitedFor || this.#gathered >= gatheredAtMost) this.pumpSoon()
    else this.#gathering ??= this.#options.clock.after(gatherTime, () => this.#pump())
  }

  #pump(): void {
    this.#gathering?.[Symbol.dispose]()
    this.#gathering = undefined
    this.#gathered = 0
    const stream = this.#stream
    const link = this.#link
    if (stream === undefined || link === undefined || !this.#isAttached) return
    try {
      while (stream.sent < stream.last && link.unsent < unsentAtMost) {
        const message = stream.queue.at(stream.sent + 1)
        if (message === undefined) break
        message.channel = link.channel
        stream.sent++
        stream.sentAtMost = Math.max(stream.sentAtMost, stream.sent)
        link.send(message)
      }
    } catch {
      // the spill file cannot be read
      this.drop('queue-overflow')
      return
    }
    if (stream.sent === stream.last && link.unsent < unsentAtMost / 2) this.#options.user.idle()
  }

  #stop({ code, message }: { code: string; message: string }): void {
    this.#standstill = { code, message, isFinal: isFinal(code) }
    this.#asked = undefined
    this.#isAttached = false
    this.#failRequests()
    // what waits can go on where the hub's trouble is over before there is no room for it
    if (!isTemporary(code)) this.drop('hub-stopped')
    if (!isFinal(code)) this.#retryLater()
  }

  #retryLater(): void {
    this.#retry?.[Symbol.dispose]()
    this.#retry = this.#options.clock.after(retryAfter, () => this.#attach())
  }

  /** Nothing of the connection is left; the stream is. */
  #leave(): void {
    this.#asked = undefined
    this.#isAttached = false
    this.#retry?.[Symbol.dispose]()
    this.#failRequests()
  }

  #failRequests(): void {
    const requests = [...this.#open]
    this.#open.clear()
    for (const request of requests) this.#options.user.answered(request, undefined)
  }
}

/** A stream that takes messages. */
class OpenStream {
  readonly id: string
  readonly replica: string
  readonly queue: MessageQueue
  readonly lag = new Lag()
  /** The last sequence given, the last one sent over this connection, over any of them, the last one acknowledged. */
  last = 0
  sent = 0
  sentAtMost = 0
  durable = 0

  constructor(id: string, replica: string, limits: QueueLimits) {
    this.id = id
    this.replica = replica
    this.queue = new MessageQueue(limits)
  }
}
