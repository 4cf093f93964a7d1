import { Buffer } from 'node:buffer'

/** Pieces smaller than this are put together: a peer that sends single bytes must not cost a buffer for each. */
const small = 2048
const tailSize = 64 * 1024

/** Bytes that came and were not read yet, in the pieces in which they came. */
export class ByteQueue {
  #chunks: Buffer[] = []
  /** How much of the first piece is read. */
  #at = 0
  #length = 0
  /** The room behind the last piece, where that is one of ours. */
  #room: Buffer | undefined

  get length(): number {
    return this.#length
  }

  /** @param isOurs the bytes will not be reused by who gave them */
  push(bytes: Uint8Array, isOurs: boolean): void {
    if (bytes.length === 0) return
    this.#length += bytes.length
    if (bytes.length < small && this.#chunks.length > 0) this.#append(bytes)
    else {
      this.#room = undefined
      this.#chunks.push(isOurs ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) : Buffer.from(bytes))
    }
  }

  /** The next bytes, of which there are that many. A copy only where they came in several pieces; `target` takes it. */
  take(size: number, target?: (size: number) => Buffer): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.length - this.#at >= size) {
      const bytes = first.subarray(this.#at, this.#at + size)
      this.skip(size)
      return bytes
    }
    const bytes = target?.(size) ?? Buffer.allocUnsafe(size)
    for (let filled = 0; filled < size; ) {
      const chunk = this.#chunks[0]!
      const part = Math.min(size - filled, chunk.length - this.#at)
      chunk.copy(bytes, filled, this.#at, this.#at + part)
      filled += part
      this.skip(part)
    }
    return bytes
  }

  /** The piece in which the next bytes lie together, from `frontAt` on; undefined where they are cut. */
  front(size: number): Buffer | undefined {
    const first = this.#chunks[0]
    return first !== undefined && first.length - this.#at >= size ? first : undefined
  }

  get frontAt(): number {
    return this.#at
  }

  /** The next four bytes, which stay. */
  peekUInt32(): number {
    let value = 0
    let at = this.#at
    let chunk = 0
    for (let byte = 0; byte < 4; byte++) {
      while (at >= this.#chunks[chunk]!.length) at -= this.#chunks[chunk++]!.length
      value = value * 256 + this.#chunks[chunk]![at++]!
    }
    return value
  }

  /** Drops the next bytes, of which there are that many. */
  skip(size: number): void {
    this.#length -= size
    this.#at += size
    const first = this.#chunks[0]
    if (first === undefined || this.#at < first.length) return
    let read = 0
    while (read < this.#chunks.length && this.#at >= this.#chunks[read]!.length)
      this.#at -= this.#chunks[read++]!.length
    if (read > 0) this.#chunks.splice(0, read)
    if (this.#chunks.length === 0) this.#room = undefined
  }

  clear(): void {
    this.#chunks = []
    this.#at = 0
    this.#length = 0
    this.#room = undefined
  }

  #append(bytes: Uint8Array): void {
    if (this.#room === undefined || this.#room.length < bytes.length) {
      this.#room = Buffer.allocUnsafeSlow(tailSize)
      this.#chunks.push(this.#room.subarray(0, 0))
    }
    const last = this.#chunks.at(-1)!
    this.#room.set(bytes)
    this.#room = this.#room.subarray(bytes.length)
    this.#chunks[this.#chunks.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length)
  }
}
