import { Buffer } from 'node:buffer'
import type { AnswerWay } from './answering.js'

const slabSize = 128 * 1024
/** So much waits at most for more: the client may as well begin to read. */
const heldAtMost = 16 * 1024

/** Puts small replies together, so that many of them cost one system call. */
export class ReplyWriter {
  readonly #duplex: AnswerWay
  #slab = Buffer.allocUnsafeSlow(slabSize)
  #start = 0
  #end = 0
  #scheduled = false
  /** Whoever holds calls `flush` afterwards. */
  holding = false

  constructor(duplex: AnswerWay) {
    this.#duplex = duplex
  }

  /** Makes room for a reply, to be filled at once: in `bytes`, from there on. No view for each, as there are very many. */
  room(size: number): number {
    if (this.#end + size > this.#slab.length) this.#renew()
    const at = this.#end
    this.#end += size
    return at
  }

  /** Where the room is. */
  get bytes(): Buffer {
    return this.#slab
  }

  /** Takes back the last of what `room` gave. */
  giveBack(size: number): void {
    this.#end -= size
  }

  /** After `room` was filled. */
  filled(): void {
    if (this.#end - this.#start >= heldAtMost) this.flush()
    else if (!this.holding && !this.#scheduled) {
      this.#scheduled = true
      queueMicrotask(() => this.flush())
    }
  }

  /** A reply with bytes of its own, behind those before it. */
  send(bytes: Buffer): void {
    this.flush()
    this.#duplex.write(bytes)
  }

  flush(): void {
    this.#scheduled = false
    if (this.#end === this.#start) return
    this.#duplex.write(this.#slab.subarray(this.#start, this.#end))
    this.#start = this.#end
    // what is sent already is free again
    if (this.#duplex.unsent === 0) {
      this.#start = 0
      this.#end = 0
    }
  }

  #renew(): void {
    this.flush()
    if (this.#end === 0) return
    this.#slab = Buffer.allocUnsafeSlow(slabSize)
    this.#start = 0
    this.#end = 0
  }
}

/** So large a reply is put together with others. */
export const smallReply = 32 * 1024
