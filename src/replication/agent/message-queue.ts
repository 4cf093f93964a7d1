import type { StreamMessage } from '../wire/message.js'
import { ByteArena } from './byte-arena.js'
import type { Spill } from './spill.js'

/** A few granules have room beside what the guest writes, in bytes. */
export const smallestMemory = 256 * 1024
/** What a message costs besides its data, in bytes. */
const messageCost = 256

export interface QueueLimits {
  /** How many bytes of messages are kept in memory. */
  memory: number
  /** Where those go that have no room there. */
  spill?: Spill | undefined
}

const costOf = (message: StreamMessage): number => messageCost + ('data' in message ? message.data.length : 0)

/** The messages of a stream that the hub has not acknowledged, by their sequence: the first ones in memory, the others in a file. */
export class MessageQueue {
  readonly #limits: QueueLimits
  readonly #arena = new ByteArena()
  #memory: (StreamMessage | undefined)[] = []
  /** How many of them are gone. */
  #gone = 0
  /** The sequence of the first one in `#memory`, with those that are gone. */
  #first = 1
  #memoryBytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
    limits.spill?.clear()
  }

  /** The sequence of the first one. */
  get oldest(): number {
    return this.#first + this.#gone
  }

  get count(): number {
    return this.#memory.length - this.#gone + (this.#limits.spill?.count ?? 0)
  }

  get bytes(): number {
    return this.#memoryBytes + (this.#limits.spill?.bytes ?? 0)
  }

  /** Whether most of the memory is free: room for what can also wait where it is. */
  get isRoomy(): boolean {
    return this.#memoryBytes * 2 < this.#limits.memory && (this.#limits.spill?.count ?? 0) === 0
  }

  /**
   * Adds the next one.
   *
   * @param isOwn whether its data stays as it is; where not, it is copied
   * @returns whether there was room
   */
  push(message: StreamMessage, isOwn: boolean): boolean {
    const { memory, spill } = this.#limits
    const spilled = spill?.count ?? 0
    const cost = costOf(message)
    if (spilled === 0 && this.#memoryBytes + cost <= memory) {
      if (!isOwn && 'data' in message) message.data = this.#arena.copy(message.data)
      this.#memory.push(message)
      this.#memoryBytes += cost
      return true
    }
    return spill?.push(message) ?? false
  }

  /** The one with this sequence, which is in the queue; undefined while there is no room in memory to read it. @throws the file's error */
  at(sequence: number): StreamMessage | undefined {
    const { memory, spill } = this.#limits
    while (sequence - this.#first >= this.#memory.length) {
      if (spill === undefined || spill.count === 0 || this.#memoryBytes >= memory) return undefined
      const message = spill.shift()
      this.#memory.push(message)
      this.#memoryBytes += costOf(message)
    }
    return this.#memory[sequence - this.#first]
  }

  /** Forgets all up to this sequence, in order. They are in memory: nothing is acknowledged that was not sent. */
  release(sequence: number, each: (message: StreamMessage) => void): void {
    while (this.oldest <= sequence) {
      const message = this.#memory[this.#gone]!
      this.#memory[this.#gone++] = undefined
      this.#memoryBytes -= costOf(message)
      each(message)
    }
    if (this.#gone * 2 < this.#memory.length) return
    this.#memory = this.#memory.slice(this.#gone)
    this.#first += this.#gone
    this.#gone = 0
  }
}
