/** A part of a volume, and where its content is. `start` and `end` are offsets in the volume. */
export interface MappedExtent<Source> {
  start: number
  end: number
  readonly source: Source
}

const chunkAtMost = 256

/** Parts that do not overlap, in their order; what is painted later covers what was there. In chunks, so that painting stays cheap. */
export class ExtentMap<Source> {
  readonly #chunks: MappedExtent<Source>[][] = [[]]
  #count = 0

  get count(): number {
    return this.#count
  }

  paint(start: number, end: number, source: Source): void {
    if (end <= start) return
    const at = this.#chunkOf(start)
    const chunk = this.#chunks[at]!
    const first = firstEndingAfter(chunk, start)
    const painted = { start, end, source }
    const under = chunk[first]
    let from = first
    if (under !== undefined && under.start < start) {
      if (under.end > end) {
        const before = { start: under.start, end: start, source: under.source }
        under.start = end
        chunk.splice(first, 0, before, painted)
        this.#count += 2
        this.#keepSmall(at)
        return
      }
      under.end = start
      from++
    }
    let to = from
    while (to < chunk.length && chunk[to]!.end <= end) to++
    const next = chunk[to]
    if (next === undefined) this.#uncover(at + 1, end)
    else if (next.start < end) next.start = end
    chunk.splice(from, to - from, painted)
    this.#count += 1 - (to - from)
    this.#keepSmall(at)
  }

  /** Those that have a part in a range, in their order. They may begin before it and end behind it. */
  *within(start: number, end: number): Generator<MappedExtent<Source>, void, undefined> {
    let at = this.#chunkOf(start)
    let index = firstEndingAfter(this.#chunks[at]!, start)
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at]!
      for (; index < chunk.length; index++) {
        const extent = chunk[index]!
        if (extent.start >= end) return
        yield extent
      }
    }
  }

  *all(): Generator<MappedExtent<Source>, void, undefined> {
    for (const chunk of this.#chunks) yield* chunk
  }

  /** Takes away what is covered up to `end` from a chunk on. */
  #uncover(at: number, end: number): void {
    for (let chunk = this.#chunks[at]; chunk !== undefined; chunk = this.#chunks[at]) {
      const covered = firstEndingAfter(chunk, end)
      this.#count -= covered
      if (covered < chunk.length) {
        chunk.splice(0, covered)
        const first = chunk[0]!
        if (first.start < end) first.start = end
        return
      }
      this.#chunks.splice(at, 1)
    }
  }

  #keepSmall(at: number): void {
    const chunk = this.#chunks[at]!
    if (chunk.length > chunkAtMost) this.#chunks.splice(at + 1, 0, chunk.splice(chunk.length >>> 1))
  }

  /** The last chunk that begins at an offset or before it, or the first. */
  #chunkOf(start: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#chunks[middle]![0]!.start <= start) low = middle
      else high = middle - 1
    }
    return low
  }
}

function firstEndingAfter(chunk: readonly MappedExtent<unknown>[], start: number): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (chunk[middle]!.end > start) high = middle
    else low = middle + 1
  }
  return low
}
