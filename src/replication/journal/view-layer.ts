import type { Buffer } from 'node:buffer'
import { ExtentMap } from './extent-map.js'
import { decodeExtent, extentSize } from './index-file.js'
import { isIn, type PositionRange } from './lineage.js'
import { isData, isZero } from './record.js'
import type { Place } from './segment-index.js'
import type { Segment, SegmentStore } from './segment-store.js'

/** Where the content of a part of a volume is. */
export interface PlacedExtent extends Place {
  segment: number
}

/** What one segment puts over what is older. */
export interface ViewLayer {
  readonly number: number
  readonly last: number
  /** Paints what it has of a part of a volume. */
  paintOn(map: ExtentMap<PlacedExtent>, volume: number, start: number, end: number): void
  /** All that it has. */
  all(): Iterable<LayerExtent>
}

/** A part of a volume, by offsets, and where its content is. */
export interface LayerExtent {
  volume: number
  start: number
  end: number
  place: Place
}

/** A segment of which all or nothing but records in these ranges counts; undefined where nothing does. */
export function layerOf(
  store: SegmentStore,
  segment: Segment,
  ranges: readonly PositionRange[],
): ViewLayer | undefined {
  const { first, last, number } = segment
  const touching = ranges.filter(({ after, through }) => first <= through && last > after)
  if (touching.length === 0) return
  const isAll = touching.some(({ after, through }) => after < first && through >= last)
  if (isAll && number !== store.current?.number) return new SealedLayer(store, segment)
  return new PartialLayer(store, segment, touching)
}

function paint(
  map: ExtentMap<PlacedExtent>,
  from: number,
  to: number,
  start: number,
  end: number,
  place: PlacedExtent,
): void {
  map.paint(Math.max(from, start), Math.min(to, end), place)
}

/** Some records of a segment, or all of one that goes on growing: their extents are held in memory. */
class PartialLayer implements ViewLayer {
  readonly number: number
  readonly last: number
  readonly #extents = new Map<number, ExtentMap<Place>>()

  constructor(store: SegmentStore, segment: Segment, ranges: readonly PositionRange[]) {
    this.number = segment.number
    this.last = segment.last
    const through = Math.max(...ranges.map(range => range.through))
    for (const { kind, volume, offset, length, at, position } of store.table(segment).records(segment.first, through)) {
      if (!isData(kind) || !isIn(position, ranges)) continue
      const map = this.#extents.get(volume) ?? new ExtentMap()
      this.#extents.set(volume, map)
      map.paint(offset, offset + length, { at, origin: offset, isZero: isZero(kind) })
    }
  }

  paintOn(map: ExtentMap<PlacedExtent>, volume: number, start: number, end: number): void {
    const own = this.#extents.get(volume)
    if (own === undefined) return
    for (const extent of own.within(start, end))
      paint(map, extent.start, extent.end, start, end, { ...extent.source, segment: this.number })
  }

  *all(): Generator<LayerExtent, void, undefined> {
    for (const [volume, map] of this.#extents)
      for (const { start, end, source } of map.all()) yield { volume, start, end, place: source }
  }
}

const pageExtents = 256

/** A sealed segment: of its index only the first extent of each page is held in memory. */
class SealedLayer implements ViewLayer {
  readonly number: number
  readonly last: number
  readonly #store: SegmentStore
  readonly #segment: Segment
  #pages: { volume: number; start: number }[] | undefined
  #count = 0
  /** Where the extents are in the index. */
  #at = 0
  /** All extents, where there is no index. */
  #bytes: Buffer | undefined

  constructor(store: SegmentStore, segment: Segment) {
    this.#store = store
    this.#segment = segment
    this.number = segment.number
    this.last = segment.last
  }

  paintOn(map: ExtentMap<PlacedExtent>, volume: number, start: number, end: number): void {
    const pages = this.#pages ?? this.#readPages()
    let page = this.#pageOf(pages, volume, start)
    for (; page < pages.length; page++) {
      const first = pages[page]!
      if (first.volume > volume || (first.volume === volume && first.start >= end)) return
      const bytes = this.#page(page)
      for (let at = 0; at < bytes.length; at += extentSize) {
        const extent = decodeExtent(bytes, at)
        if (extent.volume !== volume || extent.end <= start || extent.start >= end) continue
        const place = { at: extent.at, origin: extent.origin, isZero: extent.isZero, segment: this.number }
        paint(map, extent.start, extent.end, start, end, place)
      }
    }
  }

  *all(): Generator<LayerExtent, void, undefined> {
    const { bytes } = this.#store.extents(this.#segment)
    for (let at = 0; at < bytes.length; at += extentSize) {
      const extent = decodeExtent(bytes, at)
      yield { volume: extent.volume, start: extent.start, end: extent.end, place: extent }
    }
  }

  #page(page: number): Buffer {
    const first = page * pageExtents
    const count = Math.min(pageExtents, this.#count - first)
    const bytes = this.#bytes?.subarray(first * extentSize, (first + count) * extentSize)
    return bytes ?? this.#store.extentPage(this.#segment, this.#at + first * extentSize, count)
  }

  /** The last page that begins at an offset or before it, or the first. */
  #pageOf(pages: readonly { volume: number; start: number }[], volume: number, start: number): number {
    let low = 0
    let high = pages.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const page = pages[middle]!
      if (page.volume < volume || (page.volume === volume && page.start <= start)) low = middle
      else high = middle - 1
    }
    return low
  }

  #readPages(): { volume: number; start: number }[] {
    const { bytes, at: inFile } = this.#store.extents(this.#segment)
    this.#bytes = inFile === undefined ? bytes : undefined
    this.#at = inFile ?? 0
    this.#count = bytes.length / extentSize
    const pages: { volume: number; start: number }[] = []
    for (let at = 0; at < bytes.length; at += pageExtents * extentSize) {
      const { volume, start } = decodeExtent(bytes, at)
      pages.push({ volume, start })
    }
    this.#pages = pages
    return pages
  }
}
