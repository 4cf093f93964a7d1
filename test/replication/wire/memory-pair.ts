import { Buffer } from 'node:buffer'
import type { Duplex, DuplexReader } from '#xenlight/link/duplex.js'

/** One end of a connection in memory. What it writes stays in it until the test delivers it. */
export class MemoryEnd implements Duplex {
  #reader: DuplexReader | undefined
  #written: Buffer[] = []
  /** How many bytes there were in all, written and delivered. */
  #total = 0
  #delivered = 0
  /** In what steps it says that something is sent, as a system with large buffers does. */
  readonly #step: number
  other!: MemoryEnd
  isClosed = false

  constructor(step: number) {
    this.#step = step
  }

  get held(): number {
    return this.#written.reduce((sum, { length }) => sum + length, 0)
  }

  get unsent(): number {
    return this.held === 0 ? 0 : this.#total - (this.#delivered - (this.#delivered % this.#step))
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
  }

  write(message: Uint8Array): void {
    if (this.isClosed) return
    this.#written.push(Buffer.from(message))
    this.#total += message.length
  }

  close(): void {
    this.isClosed = true
  }

  /** The connection is over: both hear of it. */
  abort(): void {
    for (const end of [this, this.other]) {
      end.isClosed = true
      const reader = end.#reader
      end.#reader = undefined
      reader?.end()
    }
  }

  /** Puts bytes into the other end, as if this one had written them. */
  inject(...messages: Uint8Array[]): void {
    for (const message of messages) this.other.#reader?.data(Buffer.from(message))
  }

  /** Hands over so much of what was written, in pieces of that size. @returns whether there was any */
  deliver(most = Number.POSITIVE_INFINITY, piece = Number.POSITIVE_INFINITY): boolean {
    const all = Buffer.concat(this.#written)
    const count = Math.min(all.length, most)
    this.#written = count < all.length ? [all.subarray(count)] : []
    this.#delivered += count
    for (let at = 0; at < count; at += piece) {
      const bytes = Buffer.from(all.subarray(at, Math.min(count, at + piece)))
      this.other.#reader?.data(bytes)
      // it is reused, as this end does not give it away
      bytes.fill(0)
    }
    if (count > 0 && this.unsent === 0) this.#reader?.drained?.()
    if (this.isClosed && this.held === 0) this.abort()
    return count > 0
  }
}

export function memoryPair(step = 1): [MemoryEnd, MemoryEnd] {
  const [one, other] = [new MemoryEnd(step), new MemoryEnd(step)]
  one.other = other
  other.other = one
  return [one, other]
}

/** A clock that a test moves. */
export class TestClock {
  #now = 0
  readonly #timers = new Set<{ due: number; period: number; call: () => void }>()

  readonly every = (period: number, call: () => void): (() => void) => {
    const timer = { due: this.#now + period, period, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How many there are. */
  get timers(): number {
    return this.#timers.size
  }

  /** Moves on, in steps; after each, `meanwhile` is called. */
  pass(milliseconds: number, meanwhile: () => void = () => {}): void {
    const step = 100
    for (const end = this.#now + milliseconds; this.#now < end; ) {
      this.#now += step
      for (const timer of [...this.#timers])
        if (timer.due <= this.#now && this.#timers.has(timer)) {
          timer.due += timer.period
          timer.call()
        }
      meanwhile()
    }
  }
}
