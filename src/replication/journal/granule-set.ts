import { granuleSize } from '../wire/message.js'

/** A part of a volume, in bytes. */
export interface Run {
  offset: number
  length: number
}

/** Granules of a volume. */
export class GranuleSet {
  readonly #size: number
  readonly #bits: Uint8Array

  /** @param size of the volume, in bytes */
  constructor(size: number) {
    this.#size = size
    this.#bits = new Uint8Array(Math.ceil(size / granuleSize / 8))
  }

  add(start: number, end: number): void {
    const last = Math.floor((Math.min(end, this.#size) - 1) / granuleSize)
    let granule = Math.floor(start / granuleSize)
    while (granule <= last)
      if ((granule & 7) === 0 && granule + 7 <= last) {
        this.#bits[granule >>> 3] = 0xff
        granule += 8
      } else {
        this.#bits[granule >>> 3]! |= 1 << (granule & 7)
        granule++
      }
  }

  /** In their order, the last one up to the volume's end. */
  *runs(): Generator<Run, void, undefined> {
    const count = Math.ceil(this.#size / granuleSize)
    let first: number | undefined
    for (let granule = 0; granule <= count; granule++) {
      if (first === undefined && (granule & 7) === 0 && this.#bits[granule >>> 3] === 0) {
        granule += 7
        continue
      }
      const isIn = granule < count && (this.#bits[granule >>> 3]! & (1 << (granule & 7))) !== 0
      if (isIn) first ??= granule
      else if (first !== undefined) {
        const offset = first * granuleSize
        yield { offset, length: Math.min(granule * granuleSize, this.#size) - offset }
        first = undefined
      }
    }
  }
}
