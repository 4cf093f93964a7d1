/** Blocks that follow each other. */
export interface BlockRun {
  first: number
  count: number
}

/** A set of a disk's blocks: a bit each. */
export class BlockSet {
  /** How many blocks the disk has. */
  readonly blocks: number
  readonly #bits: Uint32Array
  #size = 0

  constructor(blocks: number) {
    this.blocks = blocks
    this.#bits = new Uint32Array(Math.ceil(blocks / 32))
  }

  /** How many blocks are in it. */
  get size(): number {
    return this.#size
  }

  has(block: number): boolean {
    return (this.#bits[block >>> 5]! & (1 << (block & 31))) !== 0
  }

  add(block: number): void {
    if (this.has(block)) return
    this.#bits[block >>> 5]! |= 1 << (block & 31)
    this.#size++
  }

  delete(block: number): void {
    if (!this.has(block)) return
    this.#bits[block >>> 5]! &= ~(1 << (block & 31))
    this.#size--
  }

  addRun({ first, count }: BlockRun): void {
    const end = first + count
    for (let block = first; block < end; ) {
      const word = block >>> 5
      // most of a long run is whole words
      if ((block & 31) === 0 && end - block >= 32 && this.#bits[word] === 0) {
        this.#bits[word] = 0xffffffff
        this.#size += 32
        block += 32
      } else this.add(block++)
    }
  }

  addAll(other: BlockSet): void {
    for (const run of other.runs()) this.addRun(run)
  }

  clear(): void {
    this.#bits.fill(0)
    this.#size = 0
  }

  /** The first block of the set at or after `from`; undefined where there is none. */
  next(from: number): number | undefined {
    if (this.#size === 0) return undefined
    for (let word = from >>> 5; word < this.#bits.length; word++) {
      const bits = word === from >>> 5 ? this.#bits[word]! & (-1 << (from & 31)) : this.#bits[word]!
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits)
    }
    return undefined
  }

  /** The run that begins with `first`, which is in the set; of at most so many blocks. */
  runAt(first: number, most = Number.POSITIVE_INFINITY): BlockRun {
    let end = first + 1
    while (end < this.blocks && end - first < most && this.has(end)) end++
    return { first, count: end - first }
  }

  *runs(): Generator<BlockRun> {
    for (let first = this.next(0); first !== undefined; ) {
      const run = this.runAt(first)
      yield run
      first = this.next(run.first + run.count)
    }
  }

  /** The bits of some blocks as bytes, the first block in the lowest bit. */
  bytes(first: number, count: number): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(count / 8))
    if ((first & 31) === 0 && (count & 31) === 0) {
      for (let at = 0, word = first >>> 5; at < bytes.length && word < this.#bits.length; at += 4, word++) {
        const bits = this.#bits[word]!
        bytes[at] = bits
        bytes[at + 1] = bits >>> 8
        bytes[at + 2] = bits >>> 16
        bytes[at + 3] = bits >>> 24
      }
      return bytes
    }
    const end = Math.min(first + count, this.blocks)
    for (let block = this.next(first); block !== undefined && block < end; block = this.next(block + 1))
      bytes[(block - first) >>> 3]! |= 1 << ((block - first) & 7)
    return bytes
  }

  /** Adds the blocks whose bits are set, as `bytes` gives them. */
  addBytes(first: number, bytes: Uint8Array): void {
    for (const [index, byte] of bytes.entries()) {
      if (byte === 0) continue
      for (let bit = 0; bit < 8; bit++) {
        const block = first + index * 8 + bit
        if ((byte & (1 << bit)) !== 0 && block < this.blocks) this.add(block)
      }
    }
  }
}
