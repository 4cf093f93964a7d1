import type { StreamMessage } from './message.js'
import { weightOf } from './message-codec.js'

/** How many released weights are kept before the array is cut. */
const releasedAtMost = 4096

/**
 * The flow control of one channel, which both ends count alike: what was sent of the stream and is not durable. The agent sends while that is
 * less than the window, so it is above it by one message at most; the hub holds no more than that of one group.
 */
export class StreamWindow {
  readonly #size: number
  /** The weights of what is not durable, from `#first` on. */
  #weights: number[] = []
  #first = 0
  #weight = 0
  /** The last sequence that was sent, and that is durable. */
  #sent: number | undefined
  #durable: number

  /** @param size in bytes  @param durable the last sequence that is durable, where the stream goes on; else 0 */
  constructor(size: number, durable: number) {
    this.#size = size
    this.#durable = durable
  }

  get isOpen(): boolean {
    return this.#weight < this.#size
  }

  /** How many bytes are not durable. */
  get weight(): number {
    return this.#weight
  }

  /** What is wrong with sending the message next; undefined where nothing is, and it counts. */
  send(message: StreamMessage): string | undefined {
    const { sequence } = message
    if (!this.isOpen) return `more than the ${this.#size} bytes which may be sent before they are durable`
    if (this.#sent !== undefined && sequence !== this.#sent + 1) return `sequence ${sequence} after ${this.#sent}`
    if (sequence <= this.#durable) return `sequence ${sequence}, which is durable already`
    if (this.#sent === undefined) this.#durable = sequence - 1
    this.#sent = sequence
    const weight = weightOf(message)
    this.#weights.push(weight)
    this.#weight += weight
    return undefined
  }

  /** What is wrong with saying that all up to there is durable; undefined where nothing is. It may be said again. */
  release(sequence: number): string | undefined {
    if (sequence <= this.#durable) return undefined
    if (this.#sent === undefined || sequence > this.#sent) return `that ${sequence} is durable, which was not sent`
    for (; this.#durable < sequence; this.#durable++) this.#weight -= this.#weights[this.#first++]!
    if (this.#first > releasedAtMost && this.#first * 2 > this.#weights.length) {
      this.#weights = this.#weights.slice(this.#first)
      this.#first = 0
    }
    return undefined
  }
}
