import { decodePage, encodePage, pageBlocks, pageSize } from './bitmap-page.js'
import { type BlockRun, BlockSet } from './block-set.js'
import { blocksOf, type Geometry } from './geometry.js'
import type { KeepHost } from './keep-host.js'
import { RecordFile } from './record-file.js'

type Done = (error?: Error) => void

const pagesOf = (geometry: Geometry): number => Math.ceil(blocksOf(geometry) / pageBlocks)
const offsetOf = (page: number): number => RecordFile.size + page * pageSize

/** How long the metadata's file is, in bytes: the record, and the bitmap behind it. */
export const metaFileSize = (geometry: Geometry): number => offsetOf(pagesOf(geometry))

/** The bitmap of blocks that may differ from the peer's, and what the file says of them. */
export class BitmapFile {
  readonly #host: KeepHost
  readonly #pages: number
  /** As it is. */
  readonly differing: BlockSet
  /** What the file has for certain, whatever crash comes. */
  readonly #kept: BlockSet
  /** The blocks of pages that were not whole when they were read: they are taken for differing. */
  readonly torn: BlockRun[] = []

  constructor(host: KeepHost, geometry: Geometry) {
    this.#host = host
    this.#pages = pagesOf(geometry)
    this.differing = new BlockSet(blocksOf(geometry))
    this.#kept = new BlockSet(blocksOf(geometry))
  }

  /** Whether the file has any. */
  get isKept(): boolean {
    return this.#kept.size > 0
  }

  /** Writes all pages of a new disk. */
  create(done: Done): void {
    this.write([...Array(this.#pages).keys()], done)
  }

  load(done: Done): void {
    const length = this.#pages * pageSize
    this.#host.file({ kind: 'read', file: 'meta', offset: offsetOf(0), length }, (error, bytes) => {
      if (error !== undefined) return done(error)
      for (let page = 0; page < this.#pages; page++) {
        const read = bytes!.subarray(page * pageSize, (page + 1) * pageSize)
        const bits = decodePage(page, read)
        if (bits === undefined) this.#addTorn(page)
        else this.#kept.addBytes(page * pageBlocks, bits)
      }
      this.differing.addAll(this.#kept)
      done()
    })
  }

  /** Writes the pages of some blocks as the bitmap is now. A crash of the host may undo it, one of the process does not. */
  writeThrough({ first, count }: BlockRun, done: Done): void {
    const end = Math.ceil((first + count) / pageBlocks)
    let failure: Error | undefined
    for (let page = Math.floor(first / pageBlocks); page < end; page++)
      this.#writePage(page, error => {
        failure ??= error
      })
    done(failure)
  }

  pageOf(block: number): number {
    return Math.floor(block / pageBlocks)
  }

  /** The pages that do not have all that differs in some blocks. */
  pagesWithout({ first, count }: BlockRun): number[] {
    const pages = new Set<number>()
    for (let block = this.differing.next(first); block !== undefined && block < first + count; ) {
      if (!this.#kept.has(block)) pages.add(Math.floor(block / pageBlocks))
      block = this.differing.next(block + 1)
    }
    return [...pages]
  }

  /** The pages that say something, or are to. */
  pagesInUse(): number[] {
    const pages = new Set<number>()
    for (const set of [this.differing, this.#kept])
      for (let block = set.next(0); block !== undefined; ) {
        const page = Math.floor(block / pageBlocks)
        pages.add(page)
        block = set.next((page + 1) * pageBlocks)
      }
    return [...pages]
  }

  /** Writes pages as the bitmap is now, and makes them durable. */
  write(pages: readonly number[], done: Done): void {
    if (pages.length === 0) {
      done()
      return
    }
    let failure: Error | undefined
    const written = pages.map(page => {
      const bits = this.#writePage(page, error => {
        failure ??= error
      })
      return { page, bits }
    })
    this.#host.file({ kind: 'sync', file: 'meta' }, error => {
      if (failure !== undefined || error !== undefined) return done(failure ?? error)
      for (const { page, bits } of written) this.#kept.addBytes(page * pageBlocks, bits)
      done()
    })
  }

  #writePage(page: number, done: Done): Uint8Array {
    const first = page * pageBlocks
    const bits = this.differing.bytes(first, pageBlocks)
    // those that the page says no more are not in the file for certain, from now on
    for (let block = this.#kept.next(first); block !== undefined && block < first + pageBlocks; ) {
      if (!this.differing.has(block)) this.#kept.delete(block)
      block = this.#kept.next(block + 1)
    }
    this.#host.file({ kind: 'write', file: 'meta', offset: offsetOf(page), data: encodePage(page, bits) }, done)
    return bits
  }

  /** A page that was torn may stand for anything. */
  #addTorn(page: number): void {
    const first = page * pageBlocks
    const run = { first, count: Math.min(pageBlocks, this.#kept.blocks - first) }
    this.#kept.addRun(run)
    this.torn.push(run)
  }
}
