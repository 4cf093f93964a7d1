import { checkInteger } from '../check-argument.js'
import type { BlockBackend, BlockExtent, ZeroOptions } from './block-backend.js'
import { PageMap } from './page-map.js'

const pageSize = 64 * 1024
/** Stands for each page that is zero and no hole, until it is written. */
const zeroPage = new Uint8Array(pageSize)
/** So many has an answer of `blockStatus`. */
const extentsAtMost = 64

/** A disk in memory, which takes memory only where something was written. */
export class MemoryBackend implements BlockBackend {
  readonly size: number
  readonly #pages = new PageMap<Uint8Array>()

  /** @param size in bytes @throws TypeError, RangeError */
  constructor(size: number) {
    checkInteger('size', size, 0, Number.MAX_SAFE_INTEGER)
    this.size = size
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.readInto(offset, bytes)
    return bytes
  }

  readInto(offset: number, target: Uint8Array): void {
    for (const { page, from, at, length } of parts(offset, target.length)) {
      const bytes = this.#pages.get(page)
      if (bytes === undefined) target.fill(0, at, at + length)
      else target.set(bytes.subarray(from, from + length), at)
    }
  }

  write(offset: number, data: Uint8Array): void {
    for (const { page, from, at, length } of parts(offset, data.length)) {
      let bytes = this.#pages.get(page)
      if (bytes === undefined || bytes === zeroPage) {
        bytes = new Uint8Array(pageSize)
        this.#pages.set(page, bytes)
      }
      bytes.set(data.subarray(at, at + length), from)
    }
  }

  writeZeroes(offset: number, length: number, { mayTrim = true }: ZeroOptions = {}): void {
    const end = offset + length
    if (mayTrim) {
      for (const page of this.#pages.between(Math.floor(offset / pageSize), Math.ceil(end / pageSize)))
        this.#zero(page, offset, end)
      return
    }
    for (const { page, from, length: part } of parts(offset, length)) {
      if (part === pageSize || !this.#pages.has(page)) this.#pages.set(page, zeroPage)
      else this.#zero(page, page * pageSize + from, page * pageSize + from + part)
    }
  }

  trim(offset: number, length: number): void {
    this.writeZeroes(offset, length)
  }

  flush(): void {
    // memory is as durable as it gets
  }

  blockStatus(offset: number, length: number): BlockExtent[] {
    const extents: BlockExtent[] = []
    const end = offset + length
    for (let at = offset; at < end && extents.length < extentsAtMost; ) {
      const page = Math.floor(at / pageSize)
      const hole = !this.#pages.has(page)
      const to = Math.min(end, this.#pages.sameUntil(page) * pageSize)
      const last = extents.at(-1)
      if (last?.hole === hole) last.length += to - at
      else extents.push({ length: to - at, hole, zero: hole })
      at = to
    }
    return extents
  }

  #zero(page: number, start: number, end: number): void {
    const from = Math.max(0, start - page * pageSize)
    const to = Math.min(pageSize, end - page * pageSize)
    if (from >= to) return
    const bytes = this.#pages.get(page)
    if (from === 0 && to === pageSize) this.#pages.delete(page)
    else if (bytes !== zeroPage) bytes?.fill(0, from, to)
  }
}

/** The pages that a range touches: where it begins in each, where that is in the range, and how much it is. */
function* parts(
  offset: number,
  size: number,
): Generator<{ page: number; from: number; at: number; length: number }, void, undefined> {
  for (let at = 0; at < size; ) {
    const page = Math.floor((offset + at) / pageSize)
    const from = offset + at - page * pageSize
    const length = Math.min(pageSize - from, size - at)
    yield { page, from, at, length }
    at += length
  }
}
