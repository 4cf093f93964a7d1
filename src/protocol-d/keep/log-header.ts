import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

/** The first bytes of a log's file: a checksum, a magic number, the log's. */
export const logHeaderSize = 12
const magic = 0x44_6c_78_32

export function encodeLogHeader(id: number): Uint8Array {
  const header = Buffer.alloc(logHeaderSize)
  header.writeUInt32LE(magic, 4)
  header.writeUInt32LE(id, 8)
  header.writeUInt32LE(crc32(header.subarray(4)), 0)
  return header
}

/** The log's number; undefined where it is no log. */
export function decodeLogHeader(bytes: Uint8Array): number | undefined {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (header.length < logHeaderSize || header.readUInt32LE(4) !== magic) return undefined
  return header.readUInt32LE(0) === crc32(header.subarray(4, logHeaderSize)) ? header.readUInt32LE(8) : undefined
}
