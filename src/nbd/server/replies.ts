import type { Buffer } from 'node:buffer'
import type { BlockExtent } from '../block-backend.js'
import {
  allocationContextId,
  chunkDone,
  chunkType,
  extentFlag,
  simpleReplyMagic,
  structuredReplyMagic,
} from '../protocol.js'
import type { Request } from './request.js'

export const simpleSize = 16
const chunkSize = 20

export function writeSimple(bytes: Buffer, at: number, error: number, { cookieHigh, cookieLow }: Request): void {
  bytes.writeUInt32BE(simpleReplyMagic, at)
  bytes.writeUInt32BE(error, at + 4)
  bytes.writeUInt32BE(cookieHigh, at + 8)
  bytes.writeUInt32BE(cookieLow, at + 12)
}

/** The one chunk of its reply. */
function writeChunk(bytes: Buffer, at: number, type: number, length: number, { cookieHigh, cookieLow }: Request): void {
  bytes.writeUInt32BE(structuredReplyMagic, at)
  bytes.writeUInt16BE(chunkDone, at + 4)
  bytes.writeUInt16BE(type, at + 6)
  bytes.writeUInt32BE(cookieHigh, at + 8)
  bytes.writeUInt32BE(cookieLow, at + 12)
  bytes.writeUInt32BE(length, at + 16)
}

/** How many bytes stand before what was read. */
export const readHeaderSize = (structured: boolean, { length }: Request): number =>
  structured ? chunkSize + (length === 0 ? 0 : 8) : simpleSize

export function writeReadHeader(bytes: Buffer, at: number, structured: boolean, request: Request): void {
  const { offset, length } = request
  if (!structured) writeSimple(bytes, at, 0, request)
  else if (length === 0) writeChunk(bytes, at, chunkType.none, 0, request)
  else {
    writeChunk(bytes, at, chunkType.data, 8 + length, request)
    bytes.writeUInt32BE(Math.floor(offset / 2 ** 32), at + 20)
    bytes.writeUInt32BE(offset % 2 ** 32, at + 24)
  }
}

export const errorChunkSize = chunkSize + 6

export function writeErrorChunk(bytes: Buffer, at: number, error: number, request: Request): void {
  writeChunk(bytes, at, chunkType.error, 6, request)
  bytes.writeUInt32BE(error, at + 20)
  bytes.writeUInt16BE(0, at + 24)
}

export const statusSize = (extents: readonly BlockExtent[]): number => chunkSize + 4 + 8 * extents.length

export function writeStatus(bytes: Buffer, at: number, extents: readonly BlockExtent[], request: Request): void {
  writeChunk(bytes, at, chunkType.blockStatus, 4 + 8 * extents.length, request)
  bytes.writeUInt32BE(allocationContextId, at + 20)
  for (const [index, { length, hole, zero }] of extents.entries()) {
    bytes.writeUInt32BE(length, at + 24 + 8 * index)
    bytes.writeUInt32BE((hole ? extentFlag.hole : 0) | (zero ? extentFlag.zero : 0), at + 28 + 8 * index)
  }
}
