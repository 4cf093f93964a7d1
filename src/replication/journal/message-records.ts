import { deflateRawSync } from 'node:zlib'
import { dataAtMost, type StreamMessage } from '../wire/message.js'
import { encodeJson, type RecordKind } from './record.js'

/** What a zero of one record is for at most, in bytes. */
const zeroAtMost = 1024 * 1024 * 1024
/** Smaller data is not deflated. */
const deflatedAtLeast = 512

/** What a record is made of. */
export interface Piece {
  kind: RecordKind
  volume: number
  offset: number
  length: number
  payload: Uint8Array
  isDeflated: boolean
}

const nothing = new Uint8Array(0)

/** The records of a message, in their order. */
export function* piecesOf(message: StreamMessage, compress: boolean): Generator<Piece, void, undefined> {
  const mark = { kind: message.kind, volume: 0, offset: 0, length: 0, isDeflated: false }
  switch (message.kind) {
    case 'write':
    case 'fill': {
      const { kind, volume, offset, data } = message
      for (let at = 0; at < data.length; at += dataAtMost) {
        const part = data.subarray(at, at + dataAtMost)
        const deflated = compress ? deflate(part) : undefined
        const payload = deflated ?? part
        yield { kind, volume, offset: offset + at, length: part.length, payload, isDeflated: deflated !== undefined }
      }
      return
    }
    case 'zero':
    case 'fillZero': {
      const { kind, volume, offset, length } = message
      for (let at = 0; at < length; at += zeroAtMost) {
        const part = Math.min(zeroAtMost, length - at)
        yield { kind, volume, offset: offset + at, length: part, payload: nothing, isDeflated: false }
      }
      return
    }
    case 'unsettled':
      return yield { ...mark, payload: encodeJson({ reason: message.reason }) }
    case 'settled':
      return yield { ...mark, payload: nothing }
    case 'point':
      return yield { ...mark, payload: encodeJson({ name: message.name }) }
  }
}

function deflate(data: Uint8Array): Uint8Array | undefined {
  if (data.length < deflatedAtLeast) return
  const deflated = deflateRawSync(data, { level: 1 })
  return deflated.length < data.length - data.length / 8 ? deflated : undefined
}
