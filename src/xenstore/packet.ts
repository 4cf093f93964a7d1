import { Buffer } from 'node:buffer'

/** The largest payload, both ways (XENSTORE_PAYLOAD_MAX). A daemon closes the connection that sends more. */
export const payloadMax = 4096
export const headerSize = 16

/** One message of the protocol: `struct xsd_sockmsg` and its payload. */
export interface Packet {
  type: number
  requestId: number
  transactionId: number
  payload: Buffer
}

/** Numbers are in the host's own order, as a ring between two domains of one host has them. */
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** An empty packet with room for a payload of that length, which the caller fills in from `headerSize` on. */
export function allocatePacket(type: number, requestId: number, transactionId: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerSize + length)
  putHeader(bytes, type, requestId, transactionId, length)
  return bytes
}

export function encodePacket({ type, requestId, transactionId, payload }: Packet): Buffer {
  const bytes = allocatePacket(type, requestId, transactionId, payload.length)
  bytes.set(payload, headerSize)
  return bytes
}

/** The head of a packet, which says how long its payload is. */
export function encodeHeader(type: number, requestId: number, transactionId: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerSize)
  putHeader(bytes, type, requestId, transactionId, length)
  return bytes
}

/** Gives a packet the number that its answer will have. */
export const setRequestId = (packet: Buffer, requestId: number): void => putWord(packet, 4, requestId)

export const wordAt = (bytes: Buffer, at: number): number =>
  littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)

function putHeader(bytes: Buffer, type: number, requestId: number, transactionId: number, length: number): void {
  putWord(bytes, 0, type)
  putWord(bytes, 4, requestId)
  putWord(bytes, 8, transactionId)
  putWord(bytes, 12, length)
}

function putWord(bytes: Buffer, at: number, value: number): void {
  if (littleEndian) bytes.writeUInt32LE(value, at)
  else bytes.writeUInt32BE(value, at)
}
