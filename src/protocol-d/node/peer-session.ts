import { closeNow } from '../../link/close-now.js'
import { noteArrival } from '../../link/look-once-more.js'
import { printable } from '../../printable.js'
import type { Channel } from '../node-host.js'
import type { Message } from '../stream/message.js'
import { messageFraming } from '../stream/message-codec.js'
import type { WireMessage } from '../stream/wire-message.js'
import type { Opening } from './opening.js'

/** How many looks there are in the time that the peer may be silent. */
const looks = 6
/** How many times that long a peer may have no room. */
const fullTimeouts = 10
/** How many bytes of answers may wait for a peer that asks and does not read. */
const answersAtMost = 1024 * 1024
/** How many requests it may make meanwhile. */
const requestsAtMost = 64

export interface SessionEvents {
  message(channel: Channel, message: Message): void
  /** It is over; not called where `close` ended it. */
  lost(why: string): void
  /** Whether this node takes no more for the time being. */
  isHeld(): boolean
}

/** A connection of two channels to the peer that is open, and is watched. */
export class PeerSession {
  readonly #channels: Readonly<Record<Channel, Opening>>
  readonly #events: SessionEvents
  readonly #timer: ReturnType<typeof setInterval>
  #isOver = false
  /** How many looks in a row found nothing new from the peer; and nothing more taken by it, where something waits. */
  #silent = 0
  #stalled = 0
  /** What it says of itself. */
  #taken = 0
  #isPeerHeld = false
  #requests = 0

  /** @param timeout how long the peer may be silent, in milliseconds */
  constructor(channels: Readonly<Record<Channel, Opening>>, timeout: number, events: SessionEvents) {
    this.#channels = channels
    this.#events = events
    this.#timer = setInterval(() => this.#look(), timeout / looks)
  }

  /** How many bytes wait to be sent. */
  get unsent(): number {
    return this.#channels.data.duplex.unsent ?? 0
  }

  send(channel: Channel, message: Message): void {
    if (!this.#isOver) this.#channels[channel].duplex.write(messageFraming.encode(message))
  }

  pause(isPaused: boolean): void {
    const { duplex } = this.#channels.data
    if (isPaused) duplex.pause?.()
    else duplex.resume?.()
  }

  /** Takes what one of the channels' decoders has read. */
  take(channel: Channel, message: WireMessage): void {
    if (this.#isOver) return
    noteArrival()
    this.#silent = 0
    if (message.kind === 'ping') this.#answerPing()
    else if (message.kind === 'pong') this.#takePong(message)
    else if (message.kind === 'open') this.fail('it opens what is open')
    else if (this.#mayAsk(message)) this.#events.message(channel, message)
    else this.fail('it asks, and does not read what it is answered')
  }

  /** Ends it, and says why. */
  fail(why: string): void {
    if (this.#isOver) return
    this.close()
    this.#events.lost(printable(why))
  }

  close(): void {
    this.#isOver = true
    clearInterval(this.#timer)
    closeNow(this.#channels.data.duplex)
    closeNow(this.#channels.meta.duplex)
  }

  #answerPing(): void {
    const { data, meta } = this.#channels
    if ((meta.duplex.unsent ?? 0) > answersAtMost) this.fail('it asks, and does not read what it is answered')
    else this.#say({ kind: 'pong', received: data.received, isFull: this.#events.isHeld() })
  }

  #takePong({ received, isFull }: Extract<WireMessage, { kind: 'pong' }>): void {
    if (received > this.#taken || (this.#isPeerHeld && !isFull)) this.#stalled = 0
    this.#isPeerHeld = isFull
    this.#taken = Math.max(this.#taken, received)
  }

  /** Each answer is one message: what is sent of the disk has a bound of its own. */
  #mayAsk({ kind }: Message): boolean {
    if (kind !== 'roleRequest' && kind !== 'writerRequest') return true
    this.#requests = this.unsent === 0 ? 0 : this.#requests + 1
    return this.#requests <= requestsAtMost
  }

  /** A look that comes late is one look all the same: the peer is given as many as were promised. */
  #look(): void {
    this.#stalled = this.unsent > 0 ? this.#stalled + 1 : 0
    this.#silent++
    const patience = this.#isPeerHeld ? looks * fullTimeouts : looks
    if (this.#silent > looks) this.fail('it is silent')
    else if (this.#stalled > patience) this.fail('it takes nothing of what is sent')
    else this.#say({ kind: 'ping' })
  }

  #say(message: WireMessage): void {
    this.#channels.meta.duplex.write(messageFraming.encode(message))
  }
}
