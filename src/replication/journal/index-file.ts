import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { Folder, OpenFile } from '../folder.js'
import { readJson } from './journal-state.js'
import { headerSize, readNumber, writeNumber } from './record.js'
import { RecordTable } from './record-table.js'
import { indexName } from './segment-header.js'
import type { Place, SegmentIndex, SegmentSummary, Span } from './segment-index.js'

/**
 * The index of a sealed segment. It holds nothing that the segment does not say, and is made anew where it is not whole: each part has a
 * checksum of its own, looked at before the part is believed.
 *
 * | at | bytes | what |
 * | --- | --- | --- |
 * | 0 | 8 | magic |
 * | 8 | 4 | CRC-32, with the journal's seed, of what follows up to the end of the JSON |
 * | 12 | 4 | length of the JSON |
 * | 16 | 8 | the segment's number |
 * | 24 | 8 | where its records end |
 * | 32 | 12 | how many records, spans, extents (4 bytes each) |
 * | 44 | 12 | CRC-32 of the table, of the spans, of the extents |
 *
 * Behind it: the summary as JSON, filled up to a multiple of 8; the table (48 bytes a record); the spans (32 bytes each); the extents, by
 * volume and offset: start (8), length (4), place of the record (4), how far in the record's data it begins (4), volume (1), is zero (1), 2 of 0.
 */
const magic = Buffer.from('XLJIDX01')
const fixedSize = 56
const spanSize = 32
export const extentSize = 24
const jsonAtMost = 256 * 1024 * 1024

const round8 = (length: number) => (length + 7) & ~7

/** Where the parts of an index are. */
export interface IndexParts {
  tableAt: number
  records: number
  spansAt: number
  spans: number
  extentsAt: number
  extents: number
  checksums: { table: number; spans: number; extents: number }
}

/** The extents of all volumes, as they stand in an index. */
export function extentBytes(index: SegmentIndex): Buffer {
  let count = 0
  for (const map of index.extents.values()) count += map.count
  const bytes = Buffer.alloc(count * extentSize)
  let at = 0
  for (const volume of [...index.extents.keys()].sort((a, b) => a - b))
    for (const { start, end, source } of index.extents.get(volume)!.all()) {
      writeNumber(bytes, at, start)
      bytes.writeUInt32LE(end - start, at + 8)
      bytes.writeUInt32LE(source.at, at + 12)
      bytes.writeUInt32LE(start - source.origin, at + 16)
      bytes[at + 20] = volume
      bytes[at + 21] = source.isZero ? 1 : 0
      at += extentSize
    }
  return bytes
}

function encodeIndex(index: SegmentIndex, summary: SegmentSummary, seed: number): Buffer {
  const json = Buffer.from(JSON.stringify(summary))
  const table = index.table.bytes
  const spansAt = fixedSize + round8(json.length) + table.length
  const extentsAt = spansAt + index.spans.length * spanSize
  const extents = extentBytes(index)
  const bytes = Buffer.alloc(extentsAt + extents.length)
  json.copy(bytes, fixedSize)
  table.copy(bytes, spansAt - table.length)
  let at = spansAt
  for (const { from, to } of index.spans) {
    for (const value of [from.position, from.time, to.position, to.time]) {
      writeNumber(bytes, at, value)
      at += 8
    }
  }
  extents.copy(bytes, extentsAt)
  magic.copy(bytes, 0)
  bytes.writeUInt32LE(json.length, 12)
  writeNumber(bytes, 16, summary.number)
  writeNumber(bytes, 24, summary.length)
  bytes.writeUInt32LE(index.table.count, 32)
  bytes.writeUInt32LE(index.spans.length, 36)
  bytes.writeUInt32LE(extents.length / extentSize, 40)
  bytes.writeUInt32LE(crc32(table, seed), 44)
  bytes.writeUInt32LE(crc32(bytes.subarray(spansAt, extentsAt), seed), 48)
  bytes.writeUInt32LE(crc32(extents, seed), 52)
  bytes.writeUInt32LE(crc32(bytes.subarray(12, fixedSize + json.length), seed), 8)
  return bytes
}

/** The first part of an index, if it is whole and of that segment. */
export function readSummary(
  file: OpenFile,
  number: number,
  seed: number,
): { summary: SegmentSummary; parts: IndexParts } | undefined {
  const fixed = Buffer.alloc(fixedSize)
  if (file.readInto(0, fixed) < fixedSize || !magic.equals(fixed.subarray(0, 8))) return
  const jsonLength = fixed.readUInt32LE(12)
  if (readNumber(fixed, 16) !== number || jsonLength > Math.min(jsonAtMost, file.size)) return
  const bytes = Buffer.alloc(fixedSize + jsonLength)
  if (file.readInto(0, bytes) < bytes.length || bytes.readUInt32LE(8) !== crc32(bytes.subarray(12), seed)) return
  const [records, spans, extents] = [32, 36, 40].map(at => bytes.readUInt32LE(at)) as [number, number, number]
  const [table, spansSum, extentsSum] = [44, 48, 52].map(at => bytes.readUInt32LE(at)) as [number, number, number]
  const tableAt = fixedSize + round8(jsonLength)
  const spansAt = tableAt + records * headerSize
  const extentsAt = spansAt + spans * spanSize
  if (extentsAt + extents * extentSize !== file.size) return
  // It has the journal's seeded checksum: nobody else wrote it.
  const summary = readJson(bytes.subarray(fixedSize)) as SegmentSummary
  const checksums = { table, spans: spansSum, extents: extentsSum }
  return { summary, parts: { tableAt, records, spansAt, spans, extentsAt, extents, checksums } }
}

/** A part of an index; undefined where it is not what was written. */
function readPart(file: OpenFile, at: number, length: number, checksum: number, seed: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(length)
  if (file.readInto(at, bytes) < length || crc32(bytes, seed) !== checksum) return
  return bytes
}

export function readTable(file: OpenFile, parts: IndexParts, first: number, seed: number): RecordTable | undefined {
  const bytes = readPart(file, parts.tableAt, parts.records * headerSize, parts.checksums.table, seed)
  return bytes && new RecordTable(first, bytes)
}

export function readSpans(file: OpenFile, parts: IndexParts, seed: number): Span[] | undefined {
  const bytes = readPart(file, parts.spansAt, parts.spans * spanSize, parts.checksums.spans, seed)
  if (bytes === undefined) return
  const spans: Span[] = []
  for (let at = 0; at < bytes.length; at += spanSize) {
    const [from, fromTime, to, toTime] = [0, 8, 16, 24].map(skip => readNumber(bytes, at + skip)) as [
      number,
      number,
      number,
      number,
    ]
    spans.push({ from: { position: from, time: fromTime }, to: { position: to, time: toTime } })
  }
  return spans
}

export const readExtents = (file: OpenFile, parts: IndexParts, seed: number): Buffer | undefined =>
  readPart(file, parts.extentsAt, parts.extents * extentSize, parts.checksums.extents, seed)

/** An extent out of the bytes of an index. */
export interface IndexedExtent extends Place {
  volume: number
  start: number
  end: number
}

export function decodeExtent(bytes: Buffer, at: number): IndexedExtent {
  const start = readNumber(bytes, at)
  return {
    volume: bytes[at + 20]!,
    start,
    end: start + bytes.readUInt32LE(at + 8),
    at: bytes.readUInt32LE(at + 12),
    origin: start - bytes.readUInt32LE(at + 16),
    isZero: bytes[at + 21] === 1,
  }
}

/** Writes an index. It needs no sync: what is torn is made anew. */
export function writeIndex(folder: Folder, index: SegmentIndex, summary: SegmentSummary, seed: number): void {
  const name = indexName(summary.number)
  if (folder.list().includes(name)) folder.remove(name)
  const file = folder.open(name, 'create')
  try {
    file.write(0, encodeIndex(index, summary, seed))
  } finally {
    file.close()
  }
}
