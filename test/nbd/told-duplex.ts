import type { Duplex, DuplexReader } from '#xenlight/link/duplex.js'

/** The other end of a connection in memory: says what it is told to, keeps what it hears, and reads when it is told to. */
export class ToldDuplex implements Duplex {
  readonly heard: Uint8Array[] = []
  closed = false
  paused = false
  /** What it hears counts as sent at once. */
  reads = true
  #unsent = 0
  #reader!: DuplexReader

  get unsent(): number {
    return this.#unsent
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
  }

  write(message: Uint8Array): void {
    this.heard.push(message)
    if (!this.reads) this.#unsent += message.length
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    queueMicrotask(() => this.#reader.end())
  }

  say(...bytes: Uint8Array[]): void {
    if (!this.closed) this.#reader.data(Buffer.concat(bytes))
  }

  /** Reads all that is there. */
  drain(): void {
    this.#unsent = 0
    this.#reader.drained?.()
  }

  get heardBytes(): number {
    return this.heard.reduce((sum, { length }) => sum + length, 0)
  }

  get text(): Buffer {
    return Buffer.concat(this.heard)
  }
}
