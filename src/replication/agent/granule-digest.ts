import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { granuleSize } from '../wire/message.js'

/** Of a granule, in bytes. */
export const digestSize = 32
const zeroes = Buffer.alloc(granuleSize)
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
let ofZeroes: Buffer | undefined

/** Whether at most a granule's bytes are all zero. */
export const isZero = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).equals(zeroes.subarray(0, bytes.length))

/** The SHA-256 of a granule; most of a sparse disk costs only a look. */
export function granuleDigest(bytes: Uint8Array): Buffer {
  if (bytes.length !== granuleSize || !isZero(bytes)) return sha256(bytes)
  ofZeroes ??= sha256(bytes)
  return ofZeroes
}
