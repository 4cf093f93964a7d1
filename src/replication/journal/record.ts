import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

/**
 * A record of the journal: a header of 48 bytes, then its payload, filled up with zeroes to a multiple of 8. Little-endian.
 *
 * | at | bytes | what |
 * | --- | --- | --- |
 * | 0 | 4 | CRC-32 of all that follows, begun with the journal's seed: what a guest wrote to its disk can never be taken for a record |
 * | 4 | 4 | length of the payload as it is stored |
 * | 8 | 8 | position |
 * | 16 | 8 | sequence in the agent's stream; 0 of what is not an agent's, and of all but the last piece of a write that was cut into pieces |
 * | 24 | 8 | time, in microseconds since 1970 by the agent's clock |
 * | 32 | 8 | offset in the volume; of `rewind` and `name` the position that they are about |
 * | 40 | 4 | length in the volume |
 * | 44 | 1 | number of the volume |
 * | 45 | 1 | kind |
 * | 46 | 1 | flags: 1 deflated, 2 all records before this one are durable (the first of a commit) |
 * | 47 | 1 | 0 |
 */
export const headerSize = 48

/** What a record says. Its number is its place in this list. */
const kinds = [
  'none',
  /** The guest wrote it. */
  'write',
  'zero',
  /** It only brings the replica up to date. */
  'fill',
  'fillZero',
  'unsettled',
  'settled',
  /** A named checkpoint, by the agent. */
  'point',
  /** A volume, or its new size. */
  'volume',
  /** A stream begins. */
  'stream',
  /** The content is that of an earlier position again. */
  'rewind',
  /** An earlier position gets a name. */
  'name',
] as const

export type RecordKind = Exclude<(typeof kinds)[number], 'none'>

export interface RecordHeader {
  position: number
  sequence: number
  time: number
  kind: RecordKind
  volume: number
  offset: number
  length: number
  /** Length of the payload as it is stored. */
  stored: number
  isDeflated: boolean
  /** It is the first of a commit: all before it is durable. */
  beginsCommit: boolean
}

/** What the payload of one record is at most; that of a mark is JSON. */
export const storedAtMost = 1024 * 1024

/** What a record takes in the file, its payload included. */
export const recordSize = (stored: number): number => headerSize + ((stored + 7) & ~7)

export const isData = (kind: RecordKind): boolean => kind === 'write' || kind === 'fill' || isZero(kind)
export const isZero = (kind: RecordKind): boolean => kind === 'zero' || kind === 'fillZero'

/** Numbers up to 2^53, without the detour over BigInt. */
export function writeNumber(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value >>> 0, at)
  bytes.writeUInt32LE(Math.floor(value / 0x100000000), at + 4)
}

export const readNumber = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x100000000

/** All of a header but its checksum. */
export function writeHeader(bytes: Buffer, at: number, header: RecordHeader): void {
  bytes.writeUInt32LE(header.stored, at + 4)
  writeNumber(bytes, at + 8, header.position)
  writeNumber(bytes, at + 16, header.sequence)
  writeNumber(bytes, at + 24, header.time)
  writeNumber(bytes, at + 32, header.offset)
  bytes.writeUInt32LE(header.length, at + 40)
  bytes[at + 44] = header.volume
  bytes[at + 45] = kinds.indexOf(header.kind)
  bytes[at + 46] = (header.isDeflated ? 1 : 0) | (header.beginsCommit ? 2 : 0)
  bytes[at + 47] = 0
}

/** Writes a record. `bytes` must have room for `recordSize(payload.length)`. @returns its end */
export function encodeRecord(
  bytes: Buffer,
  at: number,
  header: RecordHeader,
  payload: Uint8Array,
  seed: number,
): number {
  const end = at + recordSize(payload.length)
  writeHeader(bytes, at, header)
  bytes.set(payload, at + headerSize)
  bytes.fill(0, at + headerSize + payload.length, end)
  bytes.writeUInt32LE(crc32(bytes.subarray(at + 4, end), seed), at)
  return end
}

/** Reads a header, whose checksum is not looked at. Undefined where it cannot be one. */
export function readHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (at + headerSize > bytes.length) return
  const kind = kinds[bytes[at + 45]!]
  const stored = bytes.readUInt32LE(at + 4)
  const flags = bytes[at + 46]!
  if (kind === undefined || kind === 'none' || stored > storedAtMost || (flags & ~3) !== 0 || bytes[at + 47] !== 0)
    return
  return {
    position: readNumber(bytes, at + 8),
    sequence: readNumber(bytes, at + 16),
    time: readNumber(bytes, at + 24),
    kind,
    volume: bytes[at + 44]!,
    offset: readNumber(bytes, at + 32),
    length: bytes.readUInt32LE(at + 40),
    stored,
    isDeflated: (flags & 1) !== 0,
    beginsCommit: (flags & 2) !== 0,
  }
}

/** Whether the record that begins there is what was written. All of it must be in `bytes`. */
export const isWhole = (bytes: Buffer, at: number, stored: number, seed: number): boolean =>
  bytes.readUInt32LE(at) === crc32(bytes.subarray(at + 4, at + recordSize(stored)), seed)

/** The payload of a mark. */
export const encodeJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
