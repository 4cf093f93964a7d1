/** Bytes in the pieces in which they came: joined once, when they are whole, and not for each piece. */
export class ChunkList {
  #chunks: Uint8Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Appends a copy. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(Uint8Array.prototype.slice.call(bytes))
    this.#length += bytes.length
  }

  /** The first bytes, which there are that many of; they stay. */
  head(size: number): Uint8Array {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= size) return first.subarray(0, size)
    return join(this.#chunks, size)
  }

  /** All of them in one piece; none stay. */
  takeAll(): Uint8Array {
    const [first] = this.#chunks
    const all = first !== undefined && this.#chunks.length === 1 ? first : join(this.#chunks, this.#length)
    this.#chunks = []
    this.#length = 0
    return all
  }
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    if (at === size) break
    const part = chunk.subarray(0, size - at)
    all.set(part, at)
    at += part.length
  }
  return all
}
