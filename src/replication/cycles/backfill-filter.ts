/** A part of a disk, in bytes. */
export interface Range {
  offset: number
  length: number
}

const granule = 65_536

/**
 * What may pass of a backfill, the copy of a disk as it was at some moment, beside a stream of live writes that was attached before that
 * moment: what the stream has written is equal or newer, and nothing of the backfill may come over it. To the byte; it remembers a bit for
 * each granule of 64 KiB that was written whole, and ranges in those that were written in part.
 */
export class BackfillFilter {
  readonly #whole: Uint8Array
  /** Of granules that were written in part: where written ranges begin and end, in order, none touching the next. */
  readonly #parts = new Map<number, number[]>()

  /** @param size of the disk, in bytes */
  constructor(size: number) {
    this.#whole = new Uint8Array(Math.ceil(size / granule / 8))
  }

  /** The stream has written there. To be called before the write goes on, in one go with it. */
  wrote({ offset, length }: Range): void {
    for (const { index, from, to } of granulesOf(offset, length)) {
      if (this.#isWhole(index)) continue
      const parts = from === 0 && to === granule ? [0, granule] : merged(this.#parts.get(index) ?? [], from, to)
      if (parts[0] === 0 && parts[1] === granule) {
        this.#whole[index >>> 3]! |= 1 << (index & 7)
        this.#parts.delete(index)
      } else this.#parts.set(index, parts)
    }
  }

  /** Which parts of a write of the backfill may go on, in order; in one go with this call. */
  passes({ offset, length }: Range): Range[] {
    const passing: Range[] = []
    const pass = (from: number, to: number) => {
      if (from >= to) return
      const last = passing.at(-1)
      if (last !== undefined && last.offset + last.length === from) last.length += to - from
      else passing.push({ offset: from, length: to - from })
    }
    for (const { index, from, to } of granulesOf(offset, length)) {
      if (this.#isWhole(index)) continue
      const start = index * granule
      const parts = this.#parts.get(index) ?? []
      let at = from
      for (let part = 0; part < parts.length && at < to; part += 2) {
        pass(start + at, start + Math.min(parts[part]!, to))
        at = Math.max(at, parts[part + 1]!)
      }
      pass(start + at, start + to)
    }
    return passing
  }

  #isWhole(index: number): boolean {
    return (this.#whole[index >>> 3]! & (1 << (index & 7))) !== 0
  }
}

/** The granules of a range, and where in each it begins and ends. */
function* granulesOf(offset: number, length: number): Generator<{ index: number; from: number; to: number }> {
  const end = offset + length
  for (let at = offset; at < end; ) {
    const index = Math.floor(at / granule)
    const start = index * granule
    const to = Math.min(end, start + granule)
    yield { index, from: at - start, to: to - start }
    at = to
  }
}

/** Ranges with one more. */
function merged(parts: readonly number[], from: number, to: number): number[] {
  const result: number[] = []
  let [start, end] = [from, to]
  let isIn = false
  for (let part = 0; part < parts.length; part += 2) {
    const [its, itsEnd] = [parts[part]!, parts[part + 1]!]
    if (itsEnd < start) result.push(its, itsEnd)
    else if (its > end) {
      if (!isIn) result.push(start, end)
      isIn = true
      result.push(its, itsEnd)
    } else {
      start = Math.min(start, its)
      end = Math.max(end, itsEnd)
    }
  }
  if (!isIn) result.push(start, end)
  return result
}
