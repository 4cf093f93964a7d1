import { Buffer } from 'node:buffer'
import type { BlockExtent } from '../../nbd/block-backend.js'
import { ReplicationError } from '../replication-error.js'
import type { VolumeInfo } from '../wire/message.js'
import { ExtentMap } from './extent-map.js'
import type { Images } from './images.js'
import { Lru } from './lru.js'
import type { RecordReader } from './record-reader.js'
import type { PlacedExtent, ViewLayer } from './view-layer.js'

/** Extents are looked up and kept for parts of a volume of this size, in bytes. */
const regionSize = 16 * 1024 * 1024
/** How many extents a view keeps. */
const extentsAtMost = 256 * 1024
/** What one answer about blocks is for at most, in bytes. */
const statusAtMost = 64 * regionSize

export interface ViewParts {
  position: number
  volumes: readonly VolumeInfo[]
  /** The oldest first. */
  layers: readonly ViewLayer[]
  images: Images
  reader: RecordReader
  closed: (view: JournalView) => void
}

/** The volumes as they were at a position, until it is closed. */
export class JournalView implements Disposable {
  readonly position: number
  readonly volumes: readonly VolumeInfo[]
  #layers: readonly ViewLayer[]
  readonly #images: Images
  readonly #reader: RecordReader
  readonly #closed: (view: JournalView) => void
  readonly #regions = new Lru<number, ExtentMap<PlacedExtent>>(extentsAtMost)
  #isClosed = false

  constructor(parts: ViewParts) {
    this.position = parts.position
    this.volumes = parts.volumes
    this.#layers = parts.layers
    this.#images = parts.images
    this.#reader = parts.reader
    this.#closed = parts.closed
  }

  /** Throws a ReplicationError: `not-found`, `wrong-state` for what is beyond the volume's end, `damaged`. */
  read(volume: number, offset: number, length: number): Uint8Array {
    const info = this.#check(volume, offset, length)
    const target = Buffer.allocUnsafe(length)
    this.#walk(info, offset, length, (start, end, source) => {
      const part = target.subarray(start - offset, end - offset)
      if (source === undefined) this.#images.readInto(info, start, part)
      else if (source.isZero) part.fill(0)
      else this.#reader.copy(source.segment, source.at, start - source.origin, part)
    })
    return target
  }

  /** Which parts hold data, from `offset` on; maybe not for all of `length`. What the image holds counts as data up to the image's end. */
  blockStatus(volume: number, offset: number, length: number): BlockExtent[] {
    const info = this.#check(volume, offset, length)
    const extents: BlockExtent[] = []
    const add = (size: number, isHole: boolean): void => {
      if (size <= 0) return
      const last = extents.at(-1)
      if (last?.hole === isHole) last.length += size
      else extents.push({ length: size, hole: isHole, zero: isHole })
    }
    const imageEnd = this.#images.endOf(info)
    this.#walk(info, offset, Math.min(length, statusAtMost), (start, end, source) => {
      if (source !== undefined) return add(end - start, source.isZero)
      const middle = Math.min(Math.max(start, imageEnd), end)
      add(middle - start, false)
      add(end - middle, true)
    })
    return extents
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#layers = []
    this.#regions.clear()
    this.#closed(this)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Segments up to that position are in the image now. */
  dropThrough(position: number): void {
    this.#layers = this.#layers.filter(({ last }) => last > position)
    this.#regions.clear()
  }

  #check(volume: number, offset: number, length: number): VolumeInfo {
    if (this.#isClosed) throw new ReplicationError('wrong-state', `the view of position ${this.position} is closed`)
    const info = this.volumes.find(({ number }) => number === volume)
    if (info === undefined)
      throw new ReplicationError('not-found', `there was no volume ${volume} at position ${this.position}`)
    const isInside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
    if (!isInside || offset + length > info.size)
      throw new ReplicationError('wrong-state', `${length} bytes at ${offset} are beyond the end of ${info.name}`)
    return info
  }

  /** Calls with all parts of a range, in their order: with where the content is, or undefined where it is in the image. */
  #walk(
    { number }: VolumeInfo,
    offset: number,
    length: number,
    visit: (start: number, end: number, source: PlacedExtent | undefined) => void,
  ): void {
    const end = offset + length
    let at = offset
    while (at < end) {
      const index = Math.floor(at / regionSize)
      const regionEnd = Math.min(end, (index + 1) * regionSize)
      for (const extent of this.#region(number, index).within(at, regionEnd)) {
        if (extent.start > at) visit(at, extent.start, undefined)
        const from = Math.max(at, extent.start)
        at = Math.min(extent.end, regionEnd)
        visit(from, at, extent.source)
      }
      if (at < regionEnd) visit(at, regionEnd, undefined)
      at = regionEnd
    }
  }

  #region(volume: number, index: number): ExtentMap<PlacedExtent> {
    const key = index * 256 + volume
    const known = this.#regions.get(key)
    if (known !== undefined) return known
    const map = new ExtentMap<PlacedExtent>()
    for (const layer of this.#layers) layer.paintOn(map, volume, index * regionSize, (index + 1) * regionSize)
    this.#regions.set(key, map, map.count + 16)
    return map
  }
}
