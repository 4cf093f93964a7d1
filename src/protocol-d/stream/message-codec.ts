import { Buffer } from 'node:buffer'
import type { BlockRun } from '../../keep/block-set.js'
import { FrameDecoder, type FrameShape } from '../../link/frame-decoder.js'
import type { Decoder, Framing } from '../../link/framing.js'
import { LinkError } from '../../link/link-error.js'
import { readSaying } from './read-saying.js'
import type { WireMessage } from './wire-message.js'

/**
 * A frame is a header of 24 bytes (magic, kind, length of what follows, a number) and what follows: bytes of the disk, pairs of numbers, or
 * what is seldom said, as JSON. All numbers are little-endian. It is not DRBD's wire format, and its magic is another.
 */
const magic = 0x44_2d_6c_78
const headerSize = 24

const kinds = [
  'open',
  'ping',
  'pong',
  'hello',
  'verdict',
  'begin',
  'differing',
  'write',
  'zero',
  'barrier',
  'copy',
  'copied',
  'role',
  'roleRequest',
  'roleAnswer',
  'writerRequest',
  'writerAnswer',
  'checkpointAck',
  'barrierAck',
  'copiedAck',
] as const satisfies readonly WireMessage['kind'][]

type Kind = (typeof kinds)[number]

/** The most that follows a header, in bytes. */
const dataAtMost = 8 + 32 * 1024 * 1024
const runsBytesAtMost = 8 + 16 * 4096
const textAtMost = 16 * 1024

const mostOf = (kind: Kind): number => {
  if (kind === 'write' || kind === 'copy') return dataAtMost
  return kind === 'differing' ? runsBytesAtMost : textAtMost
}

/** The wire format of the replication link. A peer that breaks it gets LinkError EPROTO. */
export const messageFraming: Framing<WireMessage, WireMessage> = {
  encode,
  decoder: () => new FrameDecoder(frameShape),
}

/** As `messageFraming`, for who is not let in yet: until `isOpen`, nothing but `open` is taken, and so nothing large is kept. */
export const openingDecoder = (isOpen: () => boolean): Decoder<WireMessage> =>
  new FrameDecoder({
    ...frameShape,
    frameSize(bytes, at) {
      if (!isOpen() && headerAt(bytes, at).kind !== 'open') throw new LinkError('EPROTO', notOpened)
      return frameShape.frameSize(bytes, at)
    },
  })

const notOpened = 'the connection is not opened first'

const frameShape: FrameShape<WireMessage> = {
  headerSize,
  frameSize(bytes, at) {
    const { kind, length } = headerAt(bytes, at)
    if (length > mostOf(kind)) throw broken(`${length} bytes of ${kind}`)
    return headerSize + length
  },
  decode(bytes, start, end) {
    const { kind, number } = headerAt(bytes, start)
    return decodeBody(kind, number, bytes.subarray(start + headerSize, end))
  },
}

function encode(message: WireMessage): Uint8Array {
  switch (message.kind) {
    case 'write':
    case 'copy':
      return frame(message.kind, message.sequence, numbers(message.offset), message.data)
    case 'zero':
      return frame('zero', message.sequence, numbers(message.offset, message.length))
    case 'barrier':
      return frame('barrier', message.sequence, numbers(message.checkpoint, message.mode === 'checkpoints' ? 1 : 0))
    case 'checkpointAck':
      return frame('checkpointAck', message.checkpoint)
    case 'barrierAck':
      return frame('barrierAck', message.sequence)
    case 'differing': {
      const { runs, isLast } = message
      return frame('differing', isLast ? 1 : 0, numbers(...runs.flatMap(({ first, count }) => [first, count])))
    }
    case 'ping':
    case 'copiedAck':
    case 'writerRequest':
      return frame(message.kind, 0)
    case 'pong':
      return frame('pong', message.received, numbers(message.isFull ? 1 : 0))
    default: {
      const { kind, ...rest } = message
      return frame(kind, 0, Buffer.from(JSON.stringify(rest)))
    }
  }
}

function decodeBody(kind: Kind, number: number, body: Uint8Array): WireMessage {
  switch (kind) {
    case 'write':
    case 'copy': {
      const data = body.subarray(8)
      if (data.length === 0) throw broken(`a ${kind} of nothing`)
      return { kind, sequence: number, offset: numberAt(body, 0), data }
    }
    case 'zero':
      return { kind, sequence: number, offset: numberAt(body, 0), length: numberAt(body, 8) }
    case 'barrier': {
      const mode = numberAt(body, 8) === 1 ? 'checkpoints' : 'direct'
      return { kind, sequence: number, checkpoint: numberAt(body, 0), mode }
    }
    case 'checkpointAck':
      return { kind, checkpoint: number }
    case 'barrierAck':
      return { kind, sequence: number }
    case 'differing':
      return { kind, runs: runsOf(body), isLast: number === 1 }
    case 'ping':
    case 'copiedAck':
    case 'writerRequest':
      return { kind }
    case 'pong':
      return { kind, received: number, isFull: numberAt(body, 0) === 1 }
    default:
      return sayingOf(kind, body)
  }
}

function sayingOf(kind: Kind, body: Uint8Array): WireMessage {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    throw broken(`a ${kind} that is no JSON`)
  }
  const message = readSaying(kind, value)
  if (message === undefined) throw broken(`a ${kind} that lacks what it has to say`)
  return message
}

function runsOf(body: Uint8Array): BlockRun[] {
  if (body.length % 16 !== 0) throw broken('runs of blocks that are cut off')
  const runs: BlockRun[] = []
  for (let at = 0; at < body.length; at += 16) runs.push({ first: numberAt(body, at), count: numberAt(body, at + 8) })
  return runs
}

function headerAt(bytes: Uint8Array, at: number): { kind: Kind; length: number; number: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerSize)
  if (view.getUint32(0, true) !== magic) throw broken('what is not this protocol')
  const kind = kinds[view.getUint32(4, true)]
  if (kind === undefined) throw broken('a message of no kind that there is')
  return { kind, length: view.getUint32(8, true), number: safe(view.getBigUint64(16, true)) }
}

function frame(kind: Kind, number: number, ...body: Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(headerSize)
  header.writeUInt32LE(magic, 0)
  header.writeUInt32LE(kinds.indexOf(kind), 4)
  header.writeUInt32LE(
    body.reduce((sum, { length }) => sum + length, 0),
    8,
  )
  header.writeBigUInt64LE(BigInt(number), 16)
  return body.length === 0 ? header : Buffer.concat([header, ...body])
}

function numbers(...values: number[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), index * 8)
  return bytes
}

function numberAt(bytes: Uint8Array, at: number): number {
  if (bytes.length < at + 8) throw broken('a message that is cut off')
  return safe(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(at, true))
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken('a number that is too large')
  return Number(value)
}

const broken = (what: string): LinkError => new LinkError('EPROTO', `the peer sent ${what}`)
