import { Buffer } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { printable } from '../../printable.js'
import { NbdError } from '../nbd-error.js'
import { isPower, preferredMin } from '../nbd-export.js'
import { allocationContext, exportNameMax, info, optionMagic, optionReplyMagic, reply } from '../protocol.js'
import { protocolError } from './client-replies.js'

/** A maximum that is none. */
const unlimited = 0xffff_ffff

export interface OptionReply {
  option: number
  type: number
  data: Buffer
}

/** What a server says of an export. */
export interface ExportInfo {
  /** In bytes. */
  size: number
  /** See `exportFlag`. */
  flags: number
  name?: string | undefined
  description?: string | undefined
  blockSizes?: { minimum: number; preferred: number; maximum: number } | undefined
}

export function optionRequest(kind: number, data: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(16 + data.length)
  bytes.writeBigUInt64BE(optionMagic, 0)
  bytes.writeUInt32BE(kind, 8)
  bytes.writeUInt32BE(data.length, 12)
  bytes.set(data, 16)
  return bytes
}

export const infoRequest = (name: string): Buffer =>
  Buffer.concat([counted(name), uint16(3), uint16(info.blockSize), uint16(info.name), uint16(info.description)])

export const contextRequest = (name: string): Buffer =>
  Buffer.concat([counted(name), uint32(1), counted(allocationContext)])

/** @throws NbdError EPROTO */
export function readOptionHeader(bytes: Buffer): { option: number; type: number; length: number } {
  if (bytes.readBigUInt64BE(0) !== optionReplyMagic)
    throw protocolError('an answer to an option has another magic number')
  const length = bytes.readUInt32BE(16)
  if (length > 2 * exportNameMax + 64) throw protocolError(`an answer to an option of ${length} bytes`)
  return { option: bytes.readUInt32BE(8), type: bytes.readUInt32BE(12), length }
}

/** Adds what an INFO reply says. Unknown kinds are left out. @throws NbdError EPROTO */
export function readInfo(data: Buffer, into: Partial<ExportInfo>): void {
  if (data.length < 2) throw protocolError('an INFO of one byte')
  const kind = data.readUInt16BE(0)
  if (kind === info.export) {
    if (data.length !== 12) throw protocolError('an INFO of a wrong length')
    Object.assign(into, readSize(data.subarray(2)))
  } else if (kind === info.name) into.name = text(data.subarray(2))
  else if (kind === info.description) into.description = text(data.subarray(2))
  else if (kind === info.blockSize) {
    if (data.length !== 14) throw protocolError('an INFO of a wrong length')
    const [minimum, preferred, maximum] = [data.readUInt32BE(2), data.readUInt32BE(6), data.readUInt32BE(10)]
    const isRight =
      isPower(minimum) &&
      minimum <= 65_536 &&
      isPower(preferred) &&
      preferred >= Math.max(minimum, preferredMin) &&
      maximum >= preferred &&
      (maximum % minimum === 0 || maximum === unlimited)
    if (!isRight) throw protocolError(`block sizes ${minimum}, ${preferred}, ${maximum}`)
    into.blockSizes = { minimum, preferred, maximum }
  }
}

/** Size and flags. @throws NbdError EPROTO for more than 2^53 bytes */
export function readSize(data: Buffer): { size: number; flags: number } {
  const size = data.readUInt32BE(0) * 2 ** 32 + data.readUInt32BE(4)
  if (size > Number.MAX_SAFE_INTEGER) throw protocolError('a disk of more than 2^53 bytes')
  return { size, flags: data.readUInt16BE(8) }
}

/** A name in the answer to LIST. @throws NbdError EPROTO */
export function readListed(data: Buffer): string {
  const length = data.length < 4 ? -1 : data.readUInt32BE(0)
  if (length < 0 || length > data.length - 4) throw protocolError('a name longer than its answer')
  return text(data.subarray(4, 4 + length))
}

/** The error of a server that refused. */
export function refusalError(what: string, { type, data }: OptionReply): NbdError {
  const why = [reasons.get(type) ?? `refused (${type & 0x7fff_ffff})`, text(data)]
    .filter(part => part !== '')
    .join(': ')
  return new NbdError('refused', `${what}: ${printable(why)}`)
}

const reasons = new Map<number, string>([
  [reply.unsupported, 'the server does not know this option'],
  [reply.policy, 'the server does not allow it'],
  [reply.invalid, 'the server calls it invalid'],
  [reply.tlsRequired, 'the server wants TLS'],
  [reply.unknown, 'the server has no such export'],
  [reply.shutdown, 'the server is shutting down'],
  [reply.blockSizeRequired, 'the server wants its block sizes asked for'],
  [reply.tooBig, 'the server calls it too big'],
])

const text = (bytes: Buffer): string => new TextDecoder().decode(bytes)

function counted(name: string): Buffer {
  const bytes = Buffer.from(name)
  return Buffer.concat([uint32(bytes.length), bytes])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
