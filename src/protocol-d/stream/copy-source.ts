import type { BlockRun, BlockSet } from '../../keep/block-set.js'
import { repeat } from '../../keep/repeat.js'
import type { FileHost } from '../file-host.js'
import type { Geometry } from '../geometry.js'
import type { Sender } from './sender.js'

/** How many blocks are read at a time. */
const readAtMost = 64
/** How many writes and copies may be unacknowledged before the copying waits: the guest's come first. */
const unacknowledgedAtMost = 64

interface Reading extends BlockRun {
  isStale: boolean
}

export interface CopySourceOptions {
  failed(error: Error): void
  /** All was sent. */
  done(): void
}

/**
 * Sends the blocks that the peer lacks, while the guest writes. What is sent has to be newer than the writes that were sent before it: a block
 * that is being written is read later, and one that was written while it was read is read again.
 */
export class CopySource {
  readonly #host: FileHost
  readonly #geometry: Geometry
  readonly #sender: Sender
  readonly #options: CopySourceOptions
  readonly #toCopy: BlockSet
  readonly #total: number
  readonly #writing = new Map<number, number>()
  #reading: Reading | undefined
  isStarted = false
  isDone = false
  #next = 0
  #addedTo = 0
  #wake: () => void = () => {}

  /** @param toCopy what is copied, at least; the copying takes it over */
  constructor(host: FileHost, geometry: Geometry, sender: Sender, toCopy: BlockSet, options: CopySourceOptions) {
    this.#host = host
    this.#geometry = geometry
    this.#sender = sender
    this.#options = options
    this.#toCopy = toCopy
    this.#total = this.#toCopy.size
    sender.toCopy = this.#toCopy
  }

  /** How many blocks are still to be sent. */
  get left(): number {
    return this.#toCopy.size
  }

  /** Blocks that the peer wrote, and this node did not, in their order. Before `start`. @returns false where they are not, or are none */
  add({ first, count }: BlockRun): boolean {
    const end = first + count
    if (first < this.#addedTo || end > this.#toCopy.blocks) return false
    this.#addedTo = end
    this.#toCopy.addRun({ first, count })
    return true
  }

  start(): void {
    this.isStarted = true
    repeat(again => {
      this.#wake = again
      this.#step(again)
    })
  }

  /** A write to these blocks begins. */
  writeBegins(first: number, end: number): void {
    for (let block = first; block < end; block++) this.#writing.set(block, (this.#writing.get(block) ?? 0) + 1)
    const reading = this.#reading
    if (reading !== undefined && first < reading.first + reading.count && end > reading.first) reading.isStale = true
  }

  writeEnds(first: number, end: number): void {
    for (let block = first; block < end; block++) {
      const writers = this.#writing.get(block)
      // of a write that began before this did
      if (writers === undefined) continue
      if (writers === 1) this.#writing.delete(block)
      else this.#writing.set(block, writers - 1)
    }
    this.wake()
  }

  /** Something was acknowledged, or written: there may be more to do. */
  wake(): void {
    if (this.isStarted && !this.isDone && this.#reading === undefined) this.#wake()
  }

  /** The connection is lost. */
  stop(): void {
    this.isDone = true
  }

  #step(again: () => void): void {
    if (this.isDone || this.#reading !== undefined) return
    if (this.#toCopy.size === 0) {
      this.isDone = true
      this.#options.done()
      return
    }
    if (this.#sender.unacknowledged >= unacknowledgedAtMost) return
    const run = this.#nextRun()
    if (run === undefined) return
    const reading: Reading = { ...run, isStale: false }
    this.#reading = reading
    const { blockSize, size } = this.#geometry
    const offset = run.first * blockSize
    const length = Math.min(size - offset, run.count * blockSize)
    this.#host.file({ kind: 'read', file: 'data', offset, length }, (error, data) => {
      this.#reading = undefined
      if (this.isDone) return
      if (error !== undefined) return this.#options.failed(error)
      if (!reading.isStale) {
        for (let block = run.first; block < run.first + run.count; block++) this.#toCopy.delete(block)
        this.#sender.copy(offset, data!)
      }
      again()
    })
  }

  /** The next blocks that nobody is writing; undefined where all that are left are being written. */
  #nextRun(): BlockRun | undefined {
    for (const start of [this.#next, 0]) {
      for (let first = this.#toCopy.next(start); first !== undefined; first = this.#toCopy.next(first + 1)) {
        if (this.#writing.has(first)) continue
        let count = 1
        while (count < readAtMost && this.#toCopy.has(first + count) && !this.#writing.has(first + count)) count++
        this.#next = first + count
        return { first, count }
      }
    }
    return undefined
  }

  /** How much is done, from 0 to 1. */
  get progress(): number {
    return this.#total === 0 ? 1 : 1 - this.#toCopy.size / Math.max(this.#total, this.#toCopy.size)
  }
}
