import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { OpenFile } from '../folder.js'

/** What a bit stands for, in bytes. */
export const blockSize = 4096
const pageSize = 4096
/** A checksum, the page's number, and how often it was written: two slots are written by turns, so that one of them is whole. */
const headerSize = 16
const pageBytes = pageSize - headerSize
const pageBlocks = pageBytes * 8

interface Page {
  bits: Uint8Array
  /** Its two places in the file, in pages; and the one that is durable: it is not written before the other one is. */
  slots: [number, number]
  newest: 0 | 1
  generation: number
  /** The file does not have its bits as they are. */
  isDirty: boolean
}

/** A page that is to be written: as it was when it was taken. */
export interface DirtyPage {
  write(): void
  /** What was written is durable. */
  settle(): void
}

/**
 * Which blocks of a volume an overlay has. Bits are only added. The file has those pages only in which there are any, in the order in
 * which they came into use.
 */
export class BlockMap {
  readonly #file: OpenFile
  readonly #pages = new Map<number, Page>()
  #slots = 0
  #size = 0

  private constructor(file: OpenFile) {
    this.#file = file
  }

  static load(file: OpenFile): BlockMap {
    const map = new BlockMap(file)
    map.#load()
    return map
  }

  /** How many blocks are in it. */
  get size(): number {
    return this.#size
  }

  has(block: number): boolean {
    const page = this.#pages.get(Math.floor(block / pageBlocks))
    if (page === undefined) return false
    const bit = block % pageBlocks
    return (page.bits[bit >>> 3]! & (1 << (bit & 7))) !== 0
  }

  add(block: number): void {
    const index = Math.floor(block / pageBlocks)
    const page = this.#pages.get(index) ?? this.#newPage(index)
    const bit = block % pageBlocks
    const mask = 1 << (bit & 7)
    if ((page.bits[bit >>> 3]! & mask) !== 0) return
    page.bits[bit >>> 3]! |= mask
    page.isDirty = true
    this.#size++
  }

  /** The block before which all from `block` on are in it, or none is; at most `end`. */
  sameUntil(block: number, end: number): number {
    const is = this.has(block)
    let at = block + 1
    while (at < end) {
      const index = Math.floor(at / pageBlocks)
      const page = this.#pages.get(index)
      if (page === undefined) {
        if (is) return at
        at = (index + 1) * pageBlocks
        continue
      }
      const bit = at % pageBlocks
      const byte = page.bits[bit >>> 3]!
      if ((bit & 7) === 0 && byte === (is ? 0xff : 0)) at += 8 - Math.max(0, bit + 8 - pageBlocks)
      else if (((byte & (1 << (bit & 7))) !== 0) !== is) return at
      else at++
    }
    return Math.min(at, end)
  }

  /** The runs of blocks that are in it. */
  *runs(): Generator<{ first: number; count: number }> {
    for (const index of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const end = (index + 1) * pageBlocks
      for (let block = index * pageBlocks; block < end; ) {
        const to = this.sameUntil(block, end)
        if (this.has(block)) yield { first: block, count: to - block }
        block = to
      }
    }
  }

  /** Takes what is to be written: as the map is now. What is added later is not in it. */
  takeDirty(): DirtyPage[] {
    const taken: DirtyPage[] = []
    for (const [index, page] of this.#pages) {
      if (!page.isDirty) continue
      page.isDirty = false
      const bits = page.bits.slice()
      const slot = page.newest === 0 ? 1 : 0
      const generation = page.generation + 1
      taken.push({
        write: () => this.#file.write(page.slots[slot] * pageSize, encodePage(index, generation, bits)),
        settle() {
          page.newest = slot
          page.generation = generation
        },
      })
    }
    return taken
  }

  /** What was taken did not become durable: it is to be written again. */
  makeDirty(): void {
    for (const page of this.#pages.values()) page.isDirty = true
  }

  #newPage(index: number): Page {
    const slots: [number, number] = [this.#slots, this.#slots + 1]
    const page: Page = { bits: new Uint8Array(pageBytes), slots, newest: 1, generation: 0, isDirty: true }
    this.#slots += 2
    this.#pages.set(index, page)
    return page
  }

  #load(): void {
    const { size } = this.#file
    const pair = Buffer.alloc(2 * pageSize)
    for (let at = 0; at < size; at += pair.length) {
      pair.fill(0)
      this.#file.readInto(at, pair)
      const read = ([0, 1] as const).map(slot => decodePage(pair.subarray(slot * pageSize, (slot + 1) * pageSize)))
      const newest = (read[1]?.generation ?? 0) > (read[0]?.generation ?? 0) ? 1 : 0
      const slots: [number, number] = [this.#slots, this.#slots + 1]
      this.#slots += 2
      const found = read[newest]
      // the first write of a page, which was cut off: nothing that it says was ever promised
      if (found === undefined) continue
      const { index, generation } = found
      // a copy: the slice of a Buffer is none
      const bits = new Uint8Array(found.bits)
      this.#pages.set(index, { bits, slots, newest, generation, isDirty: false })
      for (const byte of bits) this.#size += ones(byte)
    }
  }
}

function encodePage(index: number, generation: number, bits: Uint8Array): Uint8Array {
  const page = Buffer.alloc(pageSize)
  page.writeUInt32LE(index, 4)
  page.writeBigUInt64LE(BigInt(generation), 8)
  page.set(bits, headerSize)
  page.writeUInt32LE(crc32(page.subarray(4)), 0)
  return page
}

function decodePage(page: Buffer): { index: number; generation: number; bits: Uint8Array } | undefined {
  const generation = Number(page.readBigUInt64LE(8))
  if (generation === 0 || page.readUInt32LE(0) !== crc32(page.subarray(4))) return undefined
  return { index: page.readUInt32LE(4), generation, bits: page.subarray(headerSize) }
}

function ones(byte: number): number {
  let count = 0
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++
  return count
}
