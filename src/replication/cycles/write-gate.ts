import type { BlockBackend, ZeroOptions } from '../../nbd/block-backend.js'

/** What becomes of a write that passes. */
export interface GateSink {
  readonly size: number
  write(offset: number, data: Uint8Array): void | Promise<void>
  writeZeroes(offset: number, length: number): void | Promise<void>
  flush(): void | Promise<void>
}

/**
 * An NBD export for one connection of QEMU's: it takes writes while it is open, and nothing ever after it was shut. What a connection that
 * was cut has left in a socket is so kept out of a later cycle.
 */
export class WriteGate implements BlockBackend {
  readonly #sink: GateSink
  #state: 'open' | 'paused' | 'shut' = 'paused'
  #bytes = 0

  constructor(sink: GateSink) {
    this.#sink = sink
  }

  get size(): number {
    return this.#sink.size
  }

  open(): void {
    if (this.#state === 'shut') return
    this.#state = 'open'
    this.#bytes = 0
  }

  /** Takes nothing until it is opened again. @returns how many bytes were written or zeroed since it was opened */
  pause(): number {
    if (this.#state !== 'open') return 0
    this.#state = 'paused'
    return this.#bytes
  }

  /** Takes nothing any more. */
  shut(): void {
    this.#state = 'shut'
  }

  read(): Uint8Array {
    throw failure('EPERM', 'nothing is read from here')
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    this.#take(data.length)
    return this.#sink.write(offset, data)
  }

  writeZeroes(offset: number, length: number, { fast = false }: ZeroOptions = {}): void | Promise<void> {
    if (fast) throw failure('ENOTSUP', 'zeroes may be as slow as data')
    this.#take(length)
    return this.#sink.writeZeroes(offset, length)
  }

  /** What is not needed may read as anything, for a replica too: nothing is done. */
  trim(): void {}

  flush(): void | Promise<void> {
    return this.#state === 'open' ? this.#sink.flush() : undefined
  }

  #take(length: number): void {
    if (this.#state !== 'open') throw failure('ESHUTDOWN', 'no cycle is under way')
    this.#bytes += length
  }
}

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code })
