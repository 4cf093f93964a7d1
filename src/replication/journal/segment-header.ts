import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { OpenFile } from '../folder.js'
import { readJson, readSnapshot, type StateSnapshot } from './journal-state.js'
import { readNumber, writeNumber } from './record.js'

/**
 * What a segment begins with: 8 bytes of magic, CRC-32 of the rest with the journal's seed, length of the JSON behind it, the segment's
 * number and its first position (8 bytes each), then as JSON what is known behind the record before it, and when it was begun. Records begin at the next
 * multiple of 8.
 */
const magic = Buffer.from('XLJSEG01')
const fixedSize = 32
/** 256 volumes with the longest of names are well below it. */
const jsonAtMost = 1024 * 1024

export interface SegmentHeader {
  number: number
  first: number
  /** What is known behind the record before. */
  state: StateSnapshot
  /** When it was begun, by the journal's own clock, in microseconds; undefined where it has none. */
  begun?: number | undefined
}

export const segmentName = (number: number): string => `${String(number).padStart(10, '0')}.seg`
export const indexName = (number: number): string => `${String(number).padStart(10, '0')}.idx`

/** The number of a segment or an index by its name, undefined of other files. */
export function numberOf(name: string, ending: 'seg' | 'idx'): number | undefined {
  const match = /^(\d{10})\.(seg|idx)$/.exec(name)
  return match?.[2] === ending ? Number(match[1]) : undefined
}

export function encodeSegmentHeader({ number, first, state, begun }: SegmentHeader, seed: number): Buffer {
  const json = Buffer.from(JSON.stringify({ ...state, begun }))
  const bytes = Buffer.alloc((fixedSize + json.length + 7) & ~7)
  magic.copy(bytes, 0)
  bytes.writeUInt32LE(json.length, 12)
  writeNumber(bytes, 16, number)
  writeNumber(bytes, 24, first)
  json.copy(bytes, fixedSize)
  bytes.writeUInt32LE(crc32(bytes.subarray(12), seed), 8)
  return bytes
}

/** Undefined where it was not written to its end. `size` is where the records begin. */
export function readSegmentHeader(
  file: OpenFile,
  number: number,
  seed: number,
): (SegmentHeader & { size: number }) | undefined {
  const fixed = Buffer.alloc(fixedSize)
  if (file.readInto(0, fixed) < fixedSize || !magic.equals(fixed.subarray(0, 8))) return
  const length = fixed.readUInt32LE(12)
  if (length > jsonAtMost) return
  const bytes = Buffer.alloc((fixedSize + length + 7) & ~7)
  if (file.readInto(0, bytes) < bytes.length || bytes.readUInt32LE(8) !== crc32(bytes.subarray(12), seed)) return
  if (readNumber(bytes, 16) !== number) return
  const json = readJson(bytes.subarray(fixedSize, fixedSize + length))
  const { begun } = Object(json)
  return {
    ...{ number, first: readNumber(bytes, 24), state: readSnapshot(json), size: bytes.length },
    begun: typeof begun === 'number' ? begun : undefined,
  }
}
