/** A part of memory that copies are cut from, in bytes; larger ones have their own. */
const slabSize = 1024 * 1024

/** Copies of bytes that are soon not needed any more, in the order they were made: they share memory, which costs less than one allocation each. */
export class ByteArena {
  #slab = new ArrayBuffer(0)
  #used = 0

  copy(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > slabSize / 4) return new Uint8Array(bytes)
    if (this.#used + length > this.#slab.byteLength) {
      this.#slab = new ArrayBuffer(slabSize)
      this.#used = 0
    }
    const copy = new Uint8Array(this.#slab, this.#used, length)
    copy.set(bytes)
    this.#used += length
    return copy
  }
}
