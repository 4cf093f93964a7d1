import { Buffer } from 'node:buffer'
import { headerSize, type Packet, payloadMax, wordAt } from './packet.js'

/** A payload longer than the protocol allows: what follows cannot be read. */
export class OversizedPacket extends Error {
  override readonly name = 'OversizedPacket'
  readonly requestId: number

  constructor(length: number, requestId: number) {
    super(`a packet of ${length} bytes (at most ${payloadMax})`)
    this.requestId = requestId
  }
}

/** Puts packets together from bytes that come in pieces of any size. */
export class PacketReader {
  /** The beginning of a packet whose end has not come. */
  #rest: Buffer = Buffer.alloc(0)

  /** How much of an unfinished packet there is. */
  get unfinished(): number {
    return this.#rest.length
  }

  /**
   * Calls `take` for every packet that is now whole. Payloads are copies of their own.
   *
   * @throws OversizedPacket
   */
  push(bytes: Uint8Array, take: (packet: Packet) => void): void {
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const all = this.#rest.length === 0 ? fresh : Buffer.concat([this.#rest, fresh])
    let at = 0
    while (all.length - at >= headerSize) {
      const length = wordAt(all, at + 12)
      if (length > payloadMax) throw new OversizedPacket(length, wordAt(all, at + 4))
      const end = at + headerSize + length
      if (end > all.length) break
      const payload = Buffer.allocUnsafe(length)
      all.copy(payload, 0, at + headerSize, end)
      take({
        type: wordAt(all, at),
        requestId: wordAt(all, at + 4),
        transactionId: wordAt(all, at + 8),
        payload,
      })
      at = end
    }
    this.#rest = at === all.length ? empty : Buffer.from(all.subarray(at))
  }
}

const empty = Buffer.alloc(0)
