import { Buffer } from 'node:buffer'
import type { StreamMessage } from '../wire/message.js'

/** In bytes: kind, volume, length of what follows, offset, length, sequence, time. */
export const spilledHeaderSize = 40
const kinds = ['write', 'fill', 'zero', 'fillZero', 'unsettled', 'settled', 'point'] as const
const none = new Uint8Array(0)

const bodyOf = (message: StreamMessage): Uint8Array => {
  switch (message.kind) {
    case 'write':
    case 'fill':
      return message.data
    case 'unsettled':
      return Buffer.from(message.reason)
    case 'point':
      return Buffer.from(message.name)
    default:
      return none
  }
}

/** A message of a stream as bytes, for the one who wrote it to read again. */
export function encodeSpilled(message: StreamMessage): Uint8Array {
  const body = bodyOf(message)
  const bytes = Buffer.allocUnsafe(spilledHeaderSize + body.length).fill(0, 0, spilledHeaderSize)
  bytes[0] = kinds.indexOf(message.kind)
  bytes.writeUInt32LE(body.length, 4)
  if ('volume' in message) {
    bytes[1] = message.volume
    bytes.writeDoubleLE(message.offset, 8)
    bytes.writeDoubleLE('length' in message ? message.length : body.length, 16)
  }
  bytes.writeDoubleLE(message.sequence, 24)
  bytes.writeDoubleLE(message.time, 32)
  bytes.set(body, spilledHeaderSize)
  return bytes
}

/** How many bytes follow the header. */
export const spilledBodyLength = (header: Uint8Array): number =>
  Buffer.from(header.buffer, header.byteOffset, header.byteLength).readUInt32LE(4)

/** @param body the message's to keep */
export function decodeSpilled(head: Uint8Array, body: Uint8Array): StreamMessage {
  const header = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  const place = { channel: 0, sequence: header.readDoubleLE(24), time: header.readDoubleLE(32) }
  const kind = kinds[header[0]!]!
  const volume = header[1]!
  const offset = header.readDoubleLE(8)
  switch (kind) {
    case 'write':
    case 'fill':
      return { kind, volume, offset, data: body, ...place }
    case 'zero':
    case 'fillZero':
      return { kind, volume, offset, length: header.readDoubleLE(16), ...place }
    case 'unsettled':
      return { kind, reason: Buffer.from(body).toString(), ...place }
    case 'point':
      return { kind, name: Buffer.from(body).toString(), ...place }
    default:
      return { kind, ...place }
  }
}
