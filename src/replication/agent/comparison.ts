import { Buffer } from 'node:buffer'
import { digestSize, granuleDigest } from './granule-digest.js'
import type { WriteWatch } from './granule-ledger.js'
import type { ReplicatedDisk } from './replicated-disk.js'

/**
 * Some granules whose digests were asked of the hub. It answers as its replica is at some moment from now on; one that is written meanwhile, or of
 * which something is still on its way, cannot be compared so, and is taken for different.
 */
export class Comparison implements WriteWatch {
  readonly disk: ReplicatedDisk
  readonly first: number
  readonly count: number
  readonly #moved = new Set<number>()
  readonly #own = new Map<number, Uint8Array>()
  #next: number
  #reading = 0
  #answer: Buffer | undefined
  isOver = false

  /** @param count of granules that are unknown, and follow each other */
  constructor(disk: ReplicatedDisk, first: number, count: number) {
    this.disk = disk
    this.first = first
    this.count = count
    this.#next = first
    const { ledger } = disk
    for (let granule = first; granule < first + count; granule++) {
      ledger.unknown.delete(granule)
      if (ledger.isUnacknowledged(granule)) this.#moved.add(granule)
    }
    ledger.enter(first, first + count)
    ledger.watches.add(this)
  }

  written(first: number, end: number): void {
    const from = Math.max(first, this.first)
    const to = Math.min(end, this.first + this.count)
    for (let granule = from; granule < to; granule++) this.#moved.add(granule)
  }

  /** The hub's answer. @returns whether it can be one */
  answer(bytes: Uint8Array): boolean {
    if (bytes.length !== this.count * digestSize) return false
    this.#answer = Buffer.from(bytes)
    return true
  }

  /** Whether all is there that is compared. */
  get isComplete(): boolean {
    return this.#answer !== undefined && this.#reading === 0 && this.#skipMoved() === this.first + this.count
  }

  /** Computes the next digest. @returns nothing where it is done at once, its promise, or false where there is none to compute. Fails as the image does */
  computeNext(): void | Promise<void> | false {
    const granule = this.#skipMoved()
    if (granule === this.first + this.count) return false
    this.#next++
    const done = this.disk.image.readGranule(granule, bytes => {
      this.#own.set(granule, granuleDigest(bytes))
    })
    if (done === undefined) return
    this.#reading++
    return done.finally(() => {
      this.#reading--
    })
  }

  /** What was compared is known now: it is equal or it differs. */
  finish(): void {
    const { ledger } = this.disk
    for (let at = 0; at < this.count; at++) {
      const granule = this.first + at
      const own = this.#own.get(granule)
      const theirs = this.#answer!.subarray(at * digestSize, (at + 1) * digestSize)
      if (this.#moved.has(granule) || own === undefined || !theirs.equals(own)) {
        ledger.differing.add(granule)
        this.disk.mark(granule, granule + 1)
      }
    }
    this.#end()
  }

  /** Nothing is known. */
  abandon(): void {
    this.disk.ledger.unknown.addRun(this)
    this.#end()
  }

  /** The next one to compute. Those that moved need no digest. */
  #skipMoved(): number {
    while (this.#next < this.first + this.count && this.#moved.has(this.#next)) this.#next++
    return this.#next
  }

  #end(): void {
    const { ledger } = this.disk
    this.isOver = true
    ledger.watches.delete(this)
    ledger.leave(this.first, this.first + this.count)
  }
}
