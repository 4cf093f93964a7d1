import { Buffer } from 'node:buffer'
import { FrameDecoder } from '../../link/frame-decoder.js'
import type { Decoder, Framing } from '../../link/framing.js'
import {
  broken,
  checkHeader,
  codeAt,
  type FrameHeader,
  headerSize,
  lengthAt,
  numberAt,
  putNumber,
  readHeader,
  writeHeader,
} from './frame-header.js'
import { dataAtMost, digestsAtMost, granuleSize, type Message, type StreamMessage } from './message.js'
import { type Kind, kindOf, kindTable } from './message-kinds.js'
import { readSaying } from './read-saying.js'

/** The longest text that is sent, in characters: what is longer is cut. */
const textAtMost = 1000

/**
 * The wire format between an agent and its hub: docs/replication-protocol.md. Who breaks it gets LinkError EPROTO, with what was sent. Data is a
 * part of the bytes that it came in wherever they have all of it.
 */
export const messageFraming: Framing<Message, Message> = {
  encode: message => encodeMessage(message),
  decoder: () => messageDecoder(() => true),
}

/** As `messageFraming`'s. A kind that may not come now is refused by its header, so nothing large is kept of it. */
export const messageDecoder = (mayCome: (kind: Kind) => boolean): Decoder<Message> =>
  new FrameDecoder({
    headerSize,
    frameSize(bytes, at) {
      checkHeader(bytes, at)
      const kind = kindAt(bytes, at)
      if (!mayCome(kind)) throw broken(`'${kind}', which may not come now`)
      return headerSize + checkedLength(kind, lengthAt(bytes, at))
    },
    decode(bytes, start, end) {
      const kind = kindAt(bytes, start)
      const message = decode(kind, readHeader(bytes, start), bytes.subarray(start + headerSize, end))
      if (message === undefined) throw broken(`'${kind}' without what it has to say`)
      return message
    },
  })

/** A message in one piece. @throws RangeError where it says more than there is place for */
export function encodeMessage(message: Message): Uint8Array {
  const body = bodyOf(message)
  const bytes = Buffer.allocUnsafe(headerSize + body.length)
  writeHeader(bytes, headerOf(message, body.length))
  bytes.set(body, headerSize)
  return bytes
}

/** The header of a message with data, which is to be sent behind it. @throws RangeError where it is too much */
export function encodeHeader(message: Extract<Message, { data: Uint8Array }>): Uint8Array {
  const bytes = Buffer.allocUnsafe(headerSize)
  writeHeader(bytes, headerOf(message, bodyOf(message).length))
  return bytes
}

/** What of a zero is one record at the hub, in bytes. */
const zeroPart = 1024 * 1024 * 1024

/**
 * What a message takes of its channel's window, in bytes: its data, and as much as a header for itself. What a hub keeps more of than comes over
 * the wire counts more: each part of long zeroes, and a reason.
 */
export function weightOf(message: StreamMessage): number {
  if ('data' in message) return headerSize + message.data.length
  if ('length' in message) return headerSize * Math.ceil(message.length / zeroPart)
  return message.kind === 'unsettled' ? headerSize + textAtMost : headerSize
}

function headerOf(message: Message, length: number): FrameHeader {
  return {
    code: kindTable[message.kind].code,
    volume: 'volume' in message ? message.volume : 0,
    length,
    channel: 'channel' in message ? message.channel : 0,
    number: numberOf(message),
    time: 'time' in message ? message.time : 0,
    offset: 'offset' in message ? message.offset : 0,
  }
}

function numberOf(message: Message): number {
  if ('sequence' in message) return message.sequence
  if ('request' in message) return message.request
  return message.kind === 'ping' || message.kind === 'pong' ? message.received : 0
}

function bodyOf(message: Message): Uint8Array {
  const { most, body } = kindTable[message.kind]
  if ('data' in message) return bounded(message.kind, message.data, most)
  if (body === 'nothing') return nothing
  if (body === 'length' && 'length' in message) {
    const bytes = Buffer.allocUnsafe(8)
    putNumber(bytes, 0, message.length)
    return bytes
  }
  return bounded(message.kind, Buffer.from(JSON.stringify(sayingOf(message))), most)
}

/** What is not in the header. */
function sayingOf(message: Message): Record<string, unknown> {
  const { kind, channel, sequence, time, request, ...rest } = message as Message & Record<string, unknown>
  for (const name of ['message', 'reason'])
    if (typeof rest[name] === 'string') rest[name] = rest[name].slice(0, textAtMost).toWellFormed()
  return rest
}

function bounded(kind: Kind, body: Uint8Array, most: number): Uint8Array {
  if (body.length <= most) return body
  throw new RangeError(`${kind} has ${body.length} bytes, and ${most} at most go into a message`)
}

const nothing = new Uint8Array(0)

function kindAt(bytes: Uint8Array, at: number): Kind {
  const kind = kindOf(codeAt(bytes, at))
  if (kind === undefined) throw broken(`a message of kind ${codeAt(bytes, at)}, which this version does not know`)
  return kind
}

function checkedLength(kind: Kind, length: number): number {
  const { most, body } = kindTable[kind]
  const isFixed = body === 'nothing' || body === 'length'
  if (length > most || (isFixed && length !== most)) throw broken(`${length} bytes of '${kind}'`)
  return length
}

/** Undefined where it is not what that kind has to say. */
function decode(kind: Kind, header: FrameHeader, body: Uint8Array): Message | undefined {
  const { channel, number, time, volume, offset } = header
  const place = { channel, sequence: number, time }
  switch (kind) {
    case 'write':
    case 'fill':
      if (number === 0 || body.length === 0 || !isPart(offset, body.length)) return undefined
      return { kind, ...place, volume, offset, data: body }
    case 'zero':
    case 'fillZero': {
      const length = numberAt(body, 0)
      return number > 0 && isPart(offset, length) ? { kind, ...place, volume, offset, length } : undefined
    }
    case 'settled':
      return number > 0 ? { kind, ...place } : undefined
    case 'durable':
      return { kind, channel, sequence: number }
    case 'detach':
      return { kind, channel }
    case 'ping':
    case 'pong':
      return { kind, received: number }
    case 'digestsRequest':
    case 'readRequest': {
      const length = numberAt(body, 0)
      const most = kind === 'readRequest' ? dataAtMost : digestsAtMost * granuleSize
      if (length > most || !isPart(offset, length)) return undefined
      if (kind === 'digestsRequest' && offset % granuleSize !== 0) return undefined
      return { kind, channel, request: number, volume, offset, length }
    }
    case 'writeRequest':
      if (body.length === 0 || !isPart(offset, body.length)) return undefined
      return { kind, channel, request: number, volume, offset, data: body }
    case 'bytes':
      return { kind, channel, request: number, data: body }
    case 'unsettled':
    case 'point':
      return number > 0 ? readSaying(kind, header, jsonOf(kind, body)) : undefined
    default:
      return readSaying(kind, header, jsonOf(kind, body))
  }
}

const isPart = (offset: number, length: number): boolean => length > 0 && Number.isSafeInteger(offset + length)

function jsonOf(kind: Kind, body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    throw broken(`'${kind}' that is no JSON`)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
