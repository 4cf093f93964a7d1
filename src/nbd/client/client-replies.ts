import type { Buffer } from 'node:buffer'
import { TextDecoder } from 'node:util'
import type { BlockExtent } from '../block-backend.js'
import { NbdError } from '../nbd-error.js'
import {
  chunkDone,
  chunkType,
  command,
  errorCodeOf,
  extentFlag,
  simpleReplyMagic,
  structuredReplyMagic,
} from '../protocol.js'

/** A request that is not answered yet, and what came of its answer. */
export interface Asked {
  kind: number
  offset: number
  length: number
  flags: number
  data?: Uint8Array | undefined
  /** It may be given up before its answer comes. */
  isLimited?: boolean | undefined
  /** Where what is read goes. */
  target?: Buffer | undefined
  /** The parts of the target that have come. */
  got: { from: number; to: number }[]
  /** The number of the context whose status it asks. */
  context?: number | undefined
  extents?: BlockExtent[] | undefined
  error?: { code: string; why: string } | undefined
}

export interface ReplyHeader {
  isSimple: boolean
  type: number
  isDone: boolean
  cookie: bigint
  length: number
  /** The error number of a simple reply. */
  error: number
}

/** How long the header is, by its first four bytes. @throws NbdError EPROTO */
export function replyHeaderSize(magic: number): number {
  if (magic === simpleReplyMagic) return 16
  if (magic === structuredReplyMagic) return 20
  throw protocolError('a reply has another magic number')
}

/** Flags that are unknown mean nothing, by the specification. */
export function readReplyHeader(bytes: Buffer): ReplyHeader {
  const isSimple = bytes.readUInt32BE(0) === simpleReplyMagic
  const cookie = bytes.readBigUInt64BE(8)
  if (isSimple) return { isSimple, type: 0, isDone: true, cookie, length: 0, error: bytes.readUInt32BE(4) }
  const flags = bytes.readUInt16BE(4)
  const type = bytes.readUInt16BE(6)
  return { isSimple, type, isDone: (flags & chunkDone) !== 0, cookie, length: bytes.readUInt32BE(16), error: 0 }
}

/** How long the payload of this reply is. @throws NbdError EPROTO where it does not fit the request */
export function payloadSize(header: ReplyHeader, asked: Asked, structured: boolean): number {
  const isRead = asked.kind === command.read
  if (header.isSimple) {
    if (structured && isRead) throw protocolError('a simple reply where a structured one was agreed on')
    return isRead && header.error === 0 ? asked.length : 0
  }
  if (!structured) throw protocolError('a structured reply that was not agreed on')
  const { type, length } = header
  const isError = type >= 0x8000
  const fits =
    (type === chunkType.none && length === 0 && header.isDone) ||
    (type === chunkType.data && isRead && length > 8 && length <= 8 + asked.length) ||
    (type === chunkType.hole && isRead && length === 12) ||
    (type === chunkType.blockStatus &&
      asked.kind === command.blockStatus &&
      length >= 12 &&
      length % 8 === 4 &&
      length <= 4 + 8 * extentsAtMost) ||
    (isError && length >= 6 && length <= 4200)
  if (!fits) throw protocolError(`a chunk of type ${type} and ${length} bytes does not fit its request`)
  return length
}

/** So many has a status at most, and a call for several. */
export const extentsAtMost = 256 * 1024

/** Takes a payload for its request. @throws NbdError EPROTO */
export function takePayload({ isSimple, type, error }: ReplyHeader, payload: Buffer, asked: Asked): void {
  if (isSimple) {
    if (error !== 0) asked.error ??= { code: errorCodeOf(error), why: '' }
    else if (asked.kind === command.read) takeData(asked, asked.offset, payload.length, payload)
  } else if (type === chunkType.data) {
    takeData(asked, offsetOf(payload), payload.length - 8, payload.subarray(8))
  } else if (type === chunkType.hole) {
    takeData(asked, offsetOf(payload), payload.readUInt32BE(8), undefined)
  } else if (type === chunkType.blockStatus) takeStatus(asked, payload)
  else if (type >= 0x8000) takeError(type, payload, asked)
}

/** What the request comes to, now that its last chunk came. @throws NbdError EPROTO where something is missing */
export function checkWhole(asked: Asked): void {
  if (asked.error !== undefined) return
  if (asked.kind === command.blockStatus && asked.extents === undefined) throw protocolError('a status without extents')
  if (asked.kind !== command.read) return
  const got = asked.got.reduce((sum, { from, to }) => sum + to - from, 0)
  if (got !== asked.length) throw protocolError(`${asked.length - got} bytes of what was read are missing`)
}

function takeData(asked: Asked, offset: number, length: number, data: Buffer | undefined): void {
  const from = offset - asked.offset
  const to = from + length
  if (from < 0 || length === 0 || to > asked.length) throw protocolError('a chunk of data outside of its request')
  if (asked.got.some(part => from < part.to && part.from < to)) throw protocolError('a chunk of data that came before')
  // neighbours become one: a server may send many small chunks, in any order
  const before = asked.got.findIndex(part => part.to === from)
  const after = asked.got.findIndex(part => part.from === to)
  if (before >= 0) {
    asked.got[before]!.to = after >= 0 ? asked.got[after]!.to : to
    if (after >= 0) asked.got.splice(after, 1)
  } else if (after >= 0) asked.got[after]!.from = from
  else if (asked.got.length >= fragmentsAtMost)
    throw protocolError(`what was read comes in more than ${fragmentsAtMost} fragments`)
  else asked.got.push({ from, to })
  if (data === undefined) asked.target!.fill(0, from, to)
  else asked.target!.set(data, from)
}

/** Parts that do not touch each other: each new one is compared with all. */
const fragmentsAtMost = 1024

function takeStatus(asked: Asked, payload: Buffer): void {
  if (payload.readUInt32BE(0) !== asked.context) throw protocolError('a status of a context that was not asked for')
  if (asked.extents !== undefined) throw protocolError('a second status')
  const extents: BlockExtent[] = []
  let total = 0
  for (let at = 4; at < payload.length; at += 8) {
    const length = payload.readUInt32BE(at)
    const flags = payload.readUInt32BE(at + 4)
    if (length === 0) throw protocolError('an extent of no bytes')
    if (total >= asked.length) throw protocolError('an extent outside of its request')
    // the last may go on behind what was asked
    extents.push({
      length: Math.min(length, asked.length - total),
      hole: (flags & extentFlag.hole) !== 0,
      zero: (flags & extentFlag.zero) !== 0,
    })
    total += length
  }
  asked.extents = extents
}

function takeError(type: number, payload: Buffer, asked: Asked): void {
  const number = payload.readUInt32BE(0)
  const textLength = payload.readUInt16BE(4)
  const rest = payload.length - 6 - textLength
  const hasOffset = type === chunkType.errorOffset
  if (number === 0 || rest < 0 || (hasOffset && rest !== 8) || (type === chunkType.error && rest !== 0))
    throw protocolError('an error chunk that is none')
  if (hasOffset) {
    const offset = offsetOf(payload.subarray(6 + textLength))
    if (offset < asked.offset || offset > asked.offset + asked.length)
      throw protocolError('an error outside of its request')
  }
  asked.error ??= { code: errorCodeOf(number), why: new TextDecoder().decode(payload.subarray(6, 6 + textLength)) }
}

const offsetOf = (bytes: Buffer): number => bytes.readUInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4)

export const protocolError = (why: string): NbdError => new NbdError('EPROTO', `this is no NBD: ${why}`)
