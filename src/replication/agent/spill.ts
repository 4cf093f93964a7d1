import { Buffer } from 'node:buffer'
import type { OpenFile } from '../folder.js'
import type { StreamMessage } from '../wire/message.js'
import { decodeSpilled, encodeSpilled, spilledBodyLength, spilledHeaderSize } from './spilled-message.js'

export type SpillFile = Pick<OpenFile, 'readInto' | 'write' | 'truncate'>

/** Messages that wait in a file, first in, first out. Nobody needs it after the process: the bitmap knows what was in it. */
export class Spill {
  readonly #file: SpillFile
  readonly #capacity: number
  /** Positions grow for ever; in the file they go round. */
  #head = 0
  #tail = 0
  #count = 0
  #bytes = 0

  /** @param capacity in bytes */
  constructor(file: SpillFile, capacity: number) {
    this.#file = file
    this.#capacity = capacity
  }

  get count(): number {
    return this.#count
  }

  /** How many bytes are in it. */
  get bytes(): number {
    return this.#bytes
  }

  /** @returns whether there was room for it, and the file took it */
  push(message: StreamMessage): boolean {
    const bytes = encodeSpilled(message)
    const start = this.#startOf(this.#tail, bytes.length)
    if (start + bytes.length - this.#head > this.#capacity) return false
    try {
      this.#file.write(start % this.#capacity, bytes)
      // where the reader does not find it by itself
      if (start !== this.#tail && this.#capacity - (this.#tail % this.#capacity) >= spilledHeaderSize)
        this.#file.write(this.#tail % this.#capacity, skipped)
    } catch {
      return false
    }
    if (this.#count === 0) this.#head = start
    this.#tail = start + bytes.length
    this.#count++
    this.#bytes += bytes.length
    return true
  }

  /** The first one, taken from it. @throws the file's error, or RangeError where the file has become shorter */
  shift(): StreamMessage {
    const header = Buffer.alloc(spilledHeaderSize)
    let at = this.#head
    const left = this.#capacity - (at % this.#capacity)
    if (left < spilledHeaderSize) at += left
    this.#read(at, header)
    if (header[0] === skipped[0]) {
      at += this.#capacity - (at % this.#capacity)
      this.#read(at, header)
    }
    const body = Buffer.allocUnsafeSlow(spilledBodyLength(header))
    this.#read(at + spilledHeaderSize, body)
    this.#head = at + spilledHeaderSize + body.length
    this.#count--
    this.#bytes -= spilledHeaderSize + body.length
    if (this.#count === 0) this.clear()
    return decodeSpilled(header, body)
  }

  /** Empties it, and gives the file's room back. */
  clear(): void {
    this.#head = 0
    this.#tail = 0
    this.#count = 0
    this.#bytes = 0
    try {
      this.#file.truncate(0)
    } catch {
      // it only takes room
    }
  }

  /** A record is not cut in two by the file's end. */
  #startOf(tail: number, length: number): number {
    const left = this.#capacity - (tail % this.#capacity)
    return left < length ? tail + left : tail
  }

  #read(position: number, target: Uint8Array): void {
    if (this.#file.readInto(position % this.#capacity, target) !== target.length)
      throw new RangeError('the spill file has become shorter')
  }
}

/** Stands where the rest of the file is not used. */
const skipped = new Uint8Array(spilledHeaderSize).fill(0xff, 0, 1)
