import { granuleSize } from '#xenlight/replication/wire/message.js'
import { sector } from './played-bytes.js'

const sectorsOfGranule = granuleSize / sector

/** Bytes of sectors that all say one number. */
export function stamped(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  new Uint32Array(bytes.buffer).fill(number)
  return bytes
}

/** What volumes hold, as the number that each sector says; and a sum of it, by which two are compared at once. */
export class Contents {
  readonly #numbers: Uint32Array[]
  readonly #sums: Float64Array[]

  constructor(sizes: readonly number[]) {
    this.#numbers = sizes.map(size => new Uint32Array(size / sector))
    this.#sums = sizes.map(size => new Float64Array(Math.ceil(size / granuleSize)))
  }

  clone(): Contents {
    const copy = new Contents(this.#numbers.map(({ length }) => length * sector))
    for (const [volume, numbers] of this.#numbers.entries()) copy.#numbers[volume]!.set(numbers)
    for (const [volume, sums] of this.#sums.entries()) copy.#sums[volume]!.set(sums)
    return copy
  }

  /** @param number all its sectors say, or the bytes with the number of each */
  set(volume: number, offset: number, length: number, number: number | Uint8Array): void {
    const numbers = this.#numbers[volume]!
    const said = typeof number === 'number' ? undefined : new DataView(number.buffer, number.byteOffset, number.length)
    for (let at = 0; at < length; at += sector) {
      const index = (offset + at) / sector
      const now = said === undefined ? (number as number) : said.getUint32(at, true)
      const before = numbers[index]!
      if (now === before) continue
      numbers[index] = now
      const granule = Math.floor(index / sectorsOfGranule)
      // a sum of what is as good as random: below 2^53, as there are few sectors
      this.#sums[volume]![granule]! += mixed(index, now) - mixed(index, before)
    }
  }

  sumOf(volume: number, granule: number): number {
    return this.#sums[volume]![granule]!
  }

  /** Of all volumes. */
  get sum(): string {
    return this.#sums.map(sums => sums.join()).join(';')
  }
}

function mixed(index: number, number: number): number {
  if (number === 0) return 0
  let mix = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(number, 0x85ebca77)
  mix = Math.imul(mix ^ (mix >>> 15), 0x2c1b3c6d)
  mix = Math.imul(mix ^ (mix >>> 12), 0x297a2d39)
  return (mix ^ (mix >>> 15)) >>> 0
}
