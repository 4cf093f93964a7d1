import { Buffer } from 'node:buffer'
import { FrameDecoder, type FrameShape } from '../link/frame-decoder.js'
import type { Framing } from '../link/framing.js'
import { encodePacket, headerSize, type Packet, payloadMax, wordAt } from './packet.js'

/** A payload longer than the protocol allows: what follows cannot be read. */
export class OversizedPacket extends Error {
  override readonly name = 'OversizedPacket'
  readonly length: number
  readonly requestId: number

  constructor(length: number, requestId: number) {
    super(`a packet of ${length} bytes (at most ${payloadMax})`)
    this.length = length
    this.requestId = requestId
  }
}

const shape: FrameShape<Packet> = {
  headerSize,
  frameSize(bytes, at) {
    const words = asBuffer(bytes)
    const length = wordAt(words, at + 12)
    if (length > payloadMax) throw new OversizedPacket(length, wordAt(words, at + 4))
    return headerSize + length
  },
  decode(bytes, start, end) {
    const words = asBuffer(bytes)
    const payload = Buffer.allocUnsafe(end - start - headerSize)
    words.copy(payload, 0, start + headerSize, end)
    return {
      type: wordAt(words, start),
      requestId: wordAt(words, start + 4),
      transactionId: wordAt(words, start + 8),
      payload,
    }
  },
}

/** Puts packets together from bytes that come in pieces of any size; payloads are copies. `push` throws OversizedPacket. */
export class PacketReader extends FrameDecoder<Packet> {
  constructor() {
    super(shape)
  }

  override push(bytes: Uint8Array, take: (packet: Packet) => void): void {
    super.push(asBuffer(bytes), take)
  }
}

export const packetFraming: Framing<Packet, Packet> = { encode: encodePacket, decoder: () => new PacketReader() }

const asBuffer = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
