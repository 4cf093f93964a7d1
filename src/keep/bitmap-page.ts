import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

/** A page of the bitmap in the file, in bytes: a checksum, the page's number, and bits. */
export const pageSize = 4096
const headerSize = 8
/** How many blocks a page stands for. */
export const pageBlocks = (pageSize - headerSize) * 8

export function encodePage(index: number, bits: Uint8Array): Uint8Array {
  const page = Buffer.alloc(pageSize)
  page.writeUInt32LE(index, 4)
  page.set(bits, headerSize)
  page.writeUInt32LE(crc32(page.subarray(4)), 0)
  return page
}

/** The bits of a page; undefined where it was not written to its end, or is another's. */
export function decodePage(index: number, bytes: Uint8Array): Uint8Array | undefined {
  const page = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (page.length !== pageSize || page.readUInt32LE(4) !== index) return undefined
  return page.readUInt32LE(0) === crc32(page.subarray(4)) ? page.subarray(headerSize) : undefined
}
