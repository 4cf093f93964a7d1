import { Buffer } from 'node:buffer'
import type { Folder, OpenFile } from '../folder.js'
import { damaged } from './damaged.js'
import { FileCache } from './file-cache.js'
import {
  extentBytes,
  extentSize,
  type IndexParts,
  readExtents,
  readSpans,
  readSummary,
  readTable,
  writeIndex,
} from './index-file.js'
import type { StateSnapshot } from './journal-state.js'
import { Lru } from './lru.js'
import { readSegment } from './read-segment.js'
import type { RecordHeader } from './record.js'
import type { RecordTable } from './record-table.js'
import { readRecord } from './scan-segment.js'
import { indexName, readSegmentHeader, segmentName } from './segment-header.js'
import type { SegmentIndex, SegmentSummary, Span } from './segment-index.js'

/** How many segments, and indexes, are kept open for reading. */
const filesAtMost = 64

/** How many spans of sealed segments are kept in memory. */
const spansAtMost = 4096

/** What is kept in memory of a segment. */
export type Segment = Omit<SegmentSummary, 'points' | 'rewinds'>

/** The segment that records are appended to. */
export interface CurrentSegment {
  number: number
  file: OpenFile
  index: SegmentIndex
  /** Where its durable records end, in bytes. */
  length: number
}

/** The segments of a journal, for those who read them. Of sealed ones it keeps a line each in memory; what else is asked for comes from their indexes. */
export class SegmentStore {
  readonly folder: Folder
  readonly seed: number
  /** In their order. */
  readonly sealed: Segment[] = []
  current: CurrentSegment | undefined
  readonly #segments: FileCache
  readonly #indexes: FileCache
  /** Each look at a group asks for them. */
  readonly #spans = new Lru<number, readonly Span[]>(spansAtMost)

  constructor(folder: Folder, seed: number) {
    this.folder = folder
    this.seed = seed
    this.#segments = new FileCache(folder, filesAtMost)
    this.#indexes = new FileCache(folder, filesAtMost)
  }

  /** All that hold records, the oldest first. */
  get all(): Segment[] {
    const { current } = this
    return current === undefined || current.index.table.count === 0
      ? this.sealed
      : [...this.sealed, current.index.summary(current.number, current.length)]
  }

  /** In bytes, without the indexes. */
  get size(): number {
    return this.sealed.reduce((sum, { length }) => sum + length, this.current?.length ?? 0)
  }

  /** The segment that holds a position. */
  holding(position: number): Segment | undefined {
    return this.all.find(({ first, last }) => position >= first && position <= last)
  }

  /** Ends a segment: nothing is appended to it any more. Its index is written, if there is room. */
  seal({ number, file, index, length }: CurrentSegment): void {
    const summary = index.summary(number, length)
    this.add(summary)
    file.close()
    this.#tryToWriteIndex(index, summary)
  }

  add({ number, first, last, length, minTime, lastTime, begun, continues }: SegmentSummary): void {
    this.sealed.push({ number, first, last, length, minTime, lastTime, begun, continues })
  }

  /** Removes the oldest ones from the list and the folder, up to one that ends at a position or before it. */
  removeThrough(position: number): void {
    while (this.sealed.length > 0 && this.sealed[0]!.last <= position) {
      const { number } = this.sealed.shift()!
      this.#segments.drop(segmentName(number))
      this.#indexes.drop(indexName(number))
      this.folder.remove(segmentName(number))
      if (this.folder.list().includes(indexName(number))) this.folder.remove(indexName(number))
    }
  }

  /** What is known behind the last record before a segment. */
  startState(number: number): StateSnapshot {
    const header = readSegmentHeader(this.segmentFile(number), number, this.seed)
    if (header === undefined) throw damaged(`the header of ${segmentName(number)} is not what was written`)
    return header.state
  }

  table(segment: Segment): RecordTable {
    if (segment.number === this.current?.number) return this.current.index.table
    const read = this.#withIndex(segment, (file, parts) => readTable(file, parts, segment.first, this.seed))
    return read ?? this.#rebuild(segment).table
  }

  spans(segment: Segment): readonly Span[] {
    if (segment.number === this.current?.number) return this.current.index.spans
    const known = this.#spans.get(segment.number)
    if (known !== undefined) return known
    const read = this.#withIndex(segment, (file, parts) => readSpans(file, parts, this.seed))
    const spans = read ?? this.#rebuild(segment).spans
    this.#spans.set(segment.number, spans, spans.length + 1)
    return spans
  }

  /** The extents of a sealed segment, as they stand in its index, and where there; undefined where it has none. */
  extents(segment: Segment): { bytes: Buffer; at: number | undefined } {
    const read = () =>
      this.#withIndex(segment, (file, parts) => {
        const bytes = readExtents(file, parts, this.seed)
        return bytes && { bytes, at: parts.extentsAt }
      })
    return read() ?? { bytes: extentBytes(this.#rebuild(segment)), at: undefined }
  }

  /** Some of the extents of a sealed segment whose index was found whole. */
  extentPage(segment: Segment, at: number, count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count * extentSize)
    if (this.#indexes.get(indexName(segment.number)).readInto(at, bytes) < bytes.length)
      throw damaged(`${indexName(segment.number)} has become shorter`)
    return bytes
  }

  /** A record, checked. */
  record(number: number, at: number): { header: RecordHeader; payload: Uint8Array } {
    const record = readRecord(this.segmentFile(number), at, this.seed)
    if (record === undefined)
      throw damaged(`the record at byte ${at} of ${segmentName(number)} is not what was written`)
    return record
  }

  close(): void {
    this.#segments.close()
    this.#indexes.close()
    this.current?.file.close()
  }

  /** Undefined where the index, or what is read of it, is not whole. */
  #withIndex<T>(segment: Segment, read: (file: OpenFile, parts: IndexParts) => T | undefined): T | undefined {
    let file: OpenFile
    try {
      file = this.#indexes.get(indexName(segment.number))
    } catch (error) {
      if (Object(error).code === 'ENOENT') return
      throw error
    }
    const known = readSummary(file, segment.number, this.seed)
    if (known?.summary.last !== segment.last || known.summary.length !== segment.length) return
    return read(file, known.parts)
  }

  #rebuild(segment: Segment): SegmentIndex {
    const read = readSegment(this.segmentFile(segment.number), segment.number, segment.last + 1, this.seed)
    if (read === undefined) throw damaged(`the header of ${segmentName(segment.number)} is not what was written`)
    this.#indexes.drop(indexName(segment.number))
    this.#tryToWriteIndex(read.index, read.index.summary(read.number, read.length))
    return read.index
  }

  #tryToWriteIndex(index: SegmentIndex, summary: SegmentSummary): void {
    try {
      writeIndex(this.folder, index, summary, this.seed)
    } catch {
      // It is made anew when it is asked for; a disk without room is found out by what must be written.
    }
  }

  /** Good until the next call. */
  segmentFile(number: number): OpenFile {
    return this.#segments.get(segmentName(number))
  }
}
