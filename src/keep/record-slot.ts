import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'

/** There are two places for the record, written by turns: one of them is whole at any time. */
export const slotSize = 16 * 1024
const magic = 0x44_6c_78_31
const headerSize = 24

/** @param record what JSON can say; as a text, less than a slot @throws RangeError */
export function encodeSlot(record: object, turn: number): Uint8Array {
  const text = Buffer.from(JSON.stringify(record))
  if (text.length > slotSize - headerSize) throw new RangeError('the metadata does not fit into its place')
  const slot = Buffer.alloc(slotSize)
  slot.writeUInt32LE(magic, 4)
  slot.writeBigUInt64LE(BigInt(turn), 8)
  slot.writeUInt32LE(text.length, 16)
  slot.set(text, headerSize)
  slot.writeUInt32LE(crc32(slot.subarray(4)), 0)
  return slot
}

/** Undefined where the slot was not written to its end. What is in it is the type's that was written. */
export function decodeSlot<Kept>(bytes: Uint8Array): { record: Kept; turn: number } | undefined {
  const slot = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (slot.length !== slotSize || slot.readUInt32LE(4) !== magic) return undefined
  if (slot.readUInt32LE(0) !== crc32(slot.subarray(4))) return undefined
  const length = slot.readUInt32LE(16)
  // the checksum holds: this is what encodeSlot wrote
  const record = JSON.parse(slot.toString('utf8', headerSize, headerSize + length)) as Kept
  return { record, turn: Number(slot.readBigUInt64LE(8)) }
}
