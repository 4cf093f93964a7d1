import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

/** What the epoch log says of one thing that was received. */
export type LogEntry =
  | { kind: 'write'; offset: number; data: Uint8Array }
  | { kind: 'zero'; offset: number; length: number }
  /** What comes before it counts, for ever. */
  | { kind: 'commit'; checkpoint: number }
  /** The log goes on at its beginning. */
  | { kind: 'wrap' }

/** Where a record stands among the others: it counts only where it follows the one before. */
export interface LogPlace {
  /** Of the log, so that an earlier one's records are nobody's. */
  id: number
  sequence: number
  /** The checksum of the header before: what is left of an epoch that was discarded follows nothing that was written in its place. */
  previous: number
}

export const recordHeaderSize = 48
const kinds = ['write', 'zero', 'commit', 'wrap'] as const

/** The header of a record, whose data follows it in the log. */
export function encodeRecord(entry: LogEntry, { id, sequence, previous }: LogPlace): Uint8Array {
  const header = Buffer.alloc(recordHeaderSize)
  header.writeUInt32LE(id, 4)
  header.writeUInt32LE(previous, 8)
  header.writeUInt32LE(kinds.indexOf(entry.kind), 12)
  header.writeBigUInt64LE(BigInt(sequence), 16)
  if (entry.kind === 'write') {
    header.writeBigUInt64LE(BigInt(entry.offset), 24)
    header.writeBigUInt64LE(BigInt(entry.data.length), 32)
    header.writeUInt32LE(crc32(entry.data), 40)
  } else if (entry.kind === 'zero') {
    header.writeBigUInt64LE(BigInt(entry.offset), 24)
    header.writeBigUInt64LE(BigInt(entry.length), 32)
  } else if (entry.kind === 'commit') {
    header.writeBigUInt64LE(BigInt(entry.checkpoint), 24)
  }
  header.writeUInt32LE(crc32(header.subarray(4)), 0)
  return header
}

/** What a header says. */
export interface RecordHeader extends LogPlace {
  kind: LogEntry['kind']
  /** Of the disk; of a commit, its checkpoint. */
  offset: number
  length: number
  dataCrc: number
}

/** Undefined where it was not written to its end. */
export function decodeHeader(bytes: Uint8Array): RecordHeader | undefined {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (header.length < recordHeaderSize || header.readUInt32LE(0) !== crc32(header.subarray(4, recordHeaderSize))) return
  const kind = kinds[header.readUInt32LE(12)]
  if (kind === undefined) return
  return {
    id: header.readUInt32LE(4),
    previous: header.readUInt32LE(8),
    kind,
    sequence: Number(header.readBigUInt64LE(16)),
    offset: Number(header.readBigUInt64LE(24)),
    length: Number(header.readBigUInt64LE(32)),
    dataCrc: header.readUInt32LE(40),
  }
}

/** What the next record says of this one. */
export const checksumOf = (header: Uint8Array): number =>
  Buffer.from(header.buffer, header.byteOffset, header.byteLength).readUInt32LE(0)

/** Whether the header's data is what was written. */
export const isDataWhole = (header: RecordHeader, data: Uint8Array): boolean =>
  data.length === header.length && crc32(data) === header.dataCrc
