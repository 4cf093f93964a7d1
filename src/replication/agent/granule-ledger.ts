import { BlockSet } from '../../keep/block-set.js'

/** Hears of the granules of a volume that are written. */
export interface WriteWatch {
  written(first: number, end: number): void
}

/**
 * Of each granule of a volume, what is known of it and the replica's. One that is in none of these is equal, and durably so:
 * what it had to be sent is acknowledged.
 */
export class GranuleLedger {
  /** They differ, and what is in the stream does not make them equal. */
  readonly differing: BlockSet
  /** They may differ: to be compared. */
  readonly unknown: BlockSet
  /** They became equal since `takeEqual`. */
  readonly #equal: BlockSet
  /** The last of the messages of the stream for a granule that are not acknowledged. */
  readonly #unacknowledged = new Map<number, number>()
  /** How many are at work on a granule: nothing is known of it meanwhile. */
  readonly #busy = new Map<number, number>()
  readonly watches = new Set<WriteWatch>()

  constructor(granules: number) {
    this.differing = new BlockSet(granules)
    this.unknown = new BlockSet(granules)
    this.#equal = new BlockSet(granules)
  }

  /** How many are not known to be equal, but for what is in the stream. */
  get open(): number {
    return this.differing.size + this.unknown.size
  }

  /** How many are in the stream and not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged.size
  }

  /** The guest's write of some granules is in the stream. */
  written(first: number, end: number, sequence: number): void {
    for (let granule = first; granule < end; granule++) this.#unacknowledged.set(granule, sequence)
    for (const watch of this.watches) watch.written(first, end)
  }

  /** All of a granule is in the stream, as it is now. */
  filled(granule: number, sequence: number): void {
    this.differing.delete(granule)
    this.#unacknowledged.set(granule, sequence)
  }

  /** Some granules were written, or may have been, and that is not in the stream. */
  differ(first: number, end: number): void {
    this.differing.addRun({ first, count: end - first })
    for (let granule = first; granule < end; granule++) this.unknown.delete(granule)
    for (const watch of this.watches) watch.written(first, end)
  }

  /** A message of the stream is durable at the replica. */
  acknowledged(first: number, end: number, sequence: number): void {
    for (let granule = first; granule < end; granule++)
      if (this.#unacknowledged.get(granule) === sequence) {
        this.#unacknowledged.delete(granule)
        this.#noteEqual(granule)
      }
  }

  /** All that is not in the stream is equal: who knows says so. */
  settle(): void {
    const open = [...this.differing.runs(), ...this.unknown.runs()]
    this.differing.clear()
    this.unknown.clear()
    for (const { first, count } of open)
      for (let granule = first; granule < first + count; granule++) this.#noteEqual(granule)
  }

  /** Whether a message for it is not acknowledged. */
  isUnacknowledged(granule: number): boolean {
    return this.#unacknowledged.has(granule)
  }

  /** The stream is gone: what was not acknowledged may be at the replica or not. */
  forgetStream(): void {
    for (const granule of this.#unacknowledged.keys()) {
      this.differing.add(granule)
      this.unknown.delete(granule)
    }
    this.#unacknowledged.clear()
  }

  /** Somebody begins to work on some granules. `leave` follows. */
  enter(first: number, end: number): void {
    for (let granule = first; granule < end; granule++) this.#busy.set(granule, (this.#busy.get(granule) ?? 0) + 1)
  }

  leave(first: number, end: number): void {
    for (let granule = first; granule < end; granule++) {
      const left = this.#busy.get(granule)! - 1
      if (left > 0) this.#busy.set(granule, left)
      else {
        this.#busy.delete(granule)
        this.#noteEqual(granule)
      }
    }
  }

  isEqual(granule: number): boolean {
    return !(
      this.#unacknowledged.has(granule) ||
      this.differing.has(granule) ||
      this.unknown.has(granule) ||
      this.#busy.has(granule)
    )
  }

  /** Whether it became equal since `takeEqual`. */
  isNewlyEqual(granule: number): boolean {
    return this.#equal.has(granule)
  }

  get hasEqual(): boolean {
    return this.#equal.size > 0
  }

  /** Those that became equal since it was asked last. */
  takeEqual(): number[] {
    const taken: number[] = []
    for (const { first, count } of this.#equal.runs()) for (let at = 0; at < count; at++) taken.push(first + at)
    this.#equal.clear()
    return taken
  }

  #noteEqual(granule: number): void {
    if (this.isEqual(granule)) this.#equal.add(granule)
  }
}
