import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type Attach, granuleSize, type Message, type StreamMessage } from '#xenlight/replication/wire/message.js'
import type { Random } from '../../../support/random.js'
import { Contents } from './contents.js'

interface StreamBegins {
  kind: 'stream'
  stream: string
  /** It began on what the agent's bitmaps rested on. */
  holds: boolean
}

/** What a replica is. */
class Replica {
  readonly bytes: Uint8Array[]
  contents: Contents
  stream: string | undefined
  sequence = 0
  isSettled = false
  /** The streams before, and how much it had of each: none that was not whole is in it. */
  chain: { stream: string; sequence: number }[] = []
  points: string[] = []

  constructor(sizes: readonly number[]) {
    this.bytes = sizes.map(size => new Uint8Array(size))
    this.contents = new Contents(sizes)
  }

  clone(): Replica {
    const copy = new Replica(this.bytes.map(({ length }) => length))
    for (const [volume, bytes] of this.bytes.entries()) copy.bytes[volume]!.set(bytes)
    copy.contents = this.contents.clone()
    copy.stream = this.stream
    copy.sequence = this.sequence
    copy.isSettled = this.isSettled
    copy.points = [...this.points]
    copy.chain = [...this.chain]
    return copy
  }

  apply(message: StreamMessage | StreamBegins): void {
    if (message.kind === 'stream') {
      if (!message.holds) this.chain = []
      else if (this.stream !== undefined) this.chain.push({ stream: this.stream, sequence: this.sequence })
      this.stream = message.stream
      this.sequence = 0
      return
    }
    this.sequence = message.sequence
    switch (message.kind) {
      case 'unsettled':
        this.isSettled = false
        break
      case 'settled':
        this.isSettled = true
        break
      case 'point':
        this.points.push(message.name)
        break
      default: {
        const { volume, offset } = message
        const data = 'data' in message ? message.data : new Uint8Array(message.length)
        this.bytes[volume]!.set(data, offset)
        this.contents.set(volume, offset, data.length, data)
      }
    }
  }
}

/** What a hub tells a test. */
export interface HubWatcher {
  /** The replica is offered as it is now. */
  settled(contents: Contents): void
  taken(message: StreamMessage): void
  /** It holds a base that is of an earlier stream. */
  followed(): void
  breach(what: string): void
}

/** A hub in memory, whose disk is durable when it is told to. */
export class ModelHub {
  readonly #random: Random
  readonly #sizes: readonly number[]
  readonly #watcher: HubWatcher
  /** Whether it follows a base through the streams that began on it. */
  readonly #knowsChain: boolean
  #replicas = 1
  #memory: Replica
  durable: Replica
  #pending: (StreamMessage | StreamBegins)[] = []
  #backup: Replica
  /** To the agent. */
  outbox: Message[] = []
  #isAttached = false
  #isFirst = false
  #isFull = false
  isFrozen = false
  /** It has less than it acknowledged, until the agent knows. */
  isLost = false

  constructor(sizes: readonly number[], random: Random, watcher: HubWatcher) {
    this.#random = random
    this.#sizes = sizes
    this.#watcher = watcher
    this.#knowsChain = random.chance(0.5)
    this.#memory = new Replica(sizes)
    this.durable = new Replica(sizes)
    this.#backup = new Replica(sizes)
  }

  get replica(): string {
    return `replica-${this.#replicas}`
  }

  receive(message: Message): void {
    switch (message.kind) {
      case 'attach':
        this.#attach(message)
        break
      case 'detach':
        this.#isAttached = false
        break
      case 'digestsRequest': {
        const { volume, offset, length, channel, request } = message
        if (this.#random.chance(0.1)) {
          this.outbox.push({ kind: 'failed', channel, request, code: 'lost', message: 'not now' })
          break
        }
        const digests: Buffer[] = []
        for (let at = offset; at < offset + length; at += granuleSize) {
          const bytes = this.#memory.bytes[volume]!.subarray(at, Math.min(at + granuleSize, offset + length))
          digests.push(createHash('sha256').update(bytes).digest())
        }
        this.outbox.push({ kind: 'bytes', channel, request, data: Buffer.concat(digests) })
        break
      }
      default:
        if ('sequence' in message) this.#take(message as StreamMessage)
    }
  }

  /** What it has is durable, and it says so. */
  sync(): void {
    for (const message of this.#pending.splice(0)) this.durable.apply(message)
    if (this.#isAttached && this.durable.sequence > 0)
      this.outbox.push({ kind: 'durable', channel: 1, sequence: this.durable.sequence })
    if (this.#random.chance(0.02)) this.#backup = this.durable.clone()
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#isAttached = false
    this.outbox = []
  }

  crash(): void {
    this.#pending = []
    this.#memory = this.durable.clone()
  }

  /** It begins with nothing. */
  loseReplica(): void {
    this.#replicas++
    this.#memory = new Replica(this.#sizes)
    this.durable = new Replica(this.#sizes)
    this.#backup = new Replica(this.#sizes)
    this.#pending = []
    this.isLost = true
  }

  /** Somebody brings back what it was some time ago. */
  restoreBackup(): void {
    this.durable = this.#backup.clone()
    this.#memory = this.#backup.clone()
    this.#pending = []
    this.isLost = true
  }

  becomeFull(): void {
    this.#isFull = true
    if (this.#isAttached)
      this.outbox.push({
        kind: 'stopped',
        channel: 1,
        code: this.#random.pick(['full', 'wrong-state']),
        message: 'the disk is full',
      })
    this.#isAttached = false
  }

  becomeReady(): void {
    this.#isFull = false
    this.outbox.push({ kind: 'ready', group: 'group' })
  }

  #attach({ channel, stream, oldest, previous, epoch }: Attach): void {
    if (this.#isFull) {
      this.outbox.push({ kind: 'refused', channel, code: 'full', message: 'the disk is full' })
      return
    }
    // what is not durable yet may be kept or not
    if (this.#random.chance(0.5)) for (const message of this.#pending.splice(0)) this.durable.apply(message)
    else this.crash()
    const { replica, durable } = this
    const received = durable.stream === stream ? durable.sequence : undefined
    const isIn = ({ stream: known, sequence }: { stream: string | undefined; sequence: number }) =>
      previous?.replica === replica && previous.stream === known && previous.sequence <= sequence
    const follows = !isIn(durable) && this.#knowsChain && durable.chain.some(isIn)
    const holds = isIn(durable) || follows
    if (follows) this.#watcher.followed()
    // what was lost had not been acknowledged to this agent
    if (received === undefined ? holds : received + 1 >= oldest) this.isLost = false
    if (received === undefined) {
      const begin = { kind: 'stream' as const, stream, holds }
      this.#memory.apply(begin)
      this.#pending.push(begin)
    }
    this.#isAttached = true
    this.#isFirst = (received ?? 0) === 0
    this.outbox.push({ kind: 'attached', channel, epoch, replica, received, holds, window: Number.MAX_SAFE_INTEGER })
  }

  #take(message: StreamMessage): void {
    if (!this.#isAttached) return
    const wanted = this.#memory.sequence + 1
    if (message.sequence !== wanted) this.#watcher.breach(`message ${message.sequence} comes instead of ${wanted}`)
    if (this.#isFirst && message.kind !== 'unsettled') this.#watcher.breach(`a stream begins with ${message.kind}`)
    if (this.#isFirst) this.isLost = false
    this.#isFirst = false
    const own = 'data' in message ? { ...message, data: message.data.slice() } : { ...message }
    this.#memory.apply(own)
    this.#pending.push(own)
    this.#watcher.taken(own)
    if (this.#memory.isSettled) this.#watcher.settled(this.#memory.contents)
  }
}
