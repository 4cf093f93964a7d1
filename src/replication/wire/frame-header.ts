import { LinkError } from '../../link/link-error.js'

/**
 * Each message begins with a header of 40 bytes, little-endian: magic u32, kind u8, volume u8, nothing u16, length of what follows u32, channel
 * u32, number u64 (a sequence, a request, how much was received), time u64, offset u64. What a kind has no use for is 0.
 */
export const headerSize = 40
/** The bytes "xlR1". */
const magic = 0x31_52_6c_78
const high = 2 ** 32
/** The upper half of the largest number that is exact. */
const highAtMost = 2 ** 21 - 1

export interface FrameHeader {
  code: number
  volume: number
  /** Of what follows, in bytes. */
  length: number
  channel: number
  number: number
  time: number
  offset: number
}

/** @throws LinkError EPROTO for what is not the protocol */
export function checkHeader(bytes: Uint8Array, at: number): void {
  if (u32(bytes, at) !== magic) throw broken('what is not this protocol')
  if (bytes[at + 6] !== 0 || bytes[at + 7] !== 0) throw broken('a header that says what this version does not know')
}

export const codeAt = (bytes: Uint8Array, at: number): number => bytes[at + 4]!
export const lengthAt = (bytes: Uint8Array, at: number): number => u32(bytes, at + 8)

/** @throws LinkError EPROTO for a number that is too large */
export const readHeader = (bytes: Uint8Array, at: number): FrameHeader => ({
  code: codeAt(bytes, at),
  volume: bytes[at + 5]!,
  length: lengthAt(bytes, at),
  channel: u32(bytes, at + 12),
  number: numberAt(bytes, at + 16),
  time: numberAt(bytes, at + 24),
  offset: numberAt(bytes, at + 32),
})

export function writeHeader(bytes: Uint8Array, header: FrameHeader): void {
  putU32(bytes, 0, magic)
  bytes[4] = header.code
  bytes[5] = header.volume
  bytes[6] = 0
  bytes[7] = 0
  putU32(bytes, 8, header.length)
  putU32(bytes, 12, header.channel)
  putNumber(bytes, 16, header.number)
  putNumber(bytes, 24, header.time)
  putNumber(bytes, 32, header.offset)
}

/** A number of 8 bytes. @throws LinkError EPROTO where it is not exact in a double */
export function numberAt(bytes: Uint8Array, at: number): number {
  const upper = u32(bytes, at + 4)
  if (upper > highAtMost) throw broken('a number that is too large')
  return upper * high + u32(bytes, at)
}

export function putNumber(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value % high)
  putU32(bytes, at + 4, Math.floor(value / high))
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

/** The error for a peer that breaks the protocol. @param what it sent */
export const broken = (what: string): LinkError => new LinkError('EPROTO', `the peer sent ${what}`)
