import type { Buffer } from 'node:buffer'
import { type NbdExport, sizesOf } from '../nbd-export.js'
import { command, commandFlag, errorNumber } from '../protocol.js'

export const requestSize = 28

export interface Request {
  flags: number
  kind: number
  /** The client's number for it, in two halves. */
  cookieHigh: number
  cookieLow: number
  offset: number
  length: number
}

/** Reads a header that begins at `at`, past its magic. Offsets beyond 2^53 come out inexact, and beyond the end of every disk. */
export const readRequest = (bytes: Buffer, at: number): Request => ({
  flags: bytes.readUInt16BE(at + 4),
  kind: bytes.readUInt16BE(at + 6),
  cookieHigh: bytes.readUInt32BE(at + 8),
  cookieLow: bytes.readUInt32BE(at + 12),
  offset: bytes.readUInt32BE(at + 16) * 2 ** 32 + bytes.readUInt32BE(at + 20),
  length: bytes.readUInt32BE(at + 24),
})

/** What a client may ask of an export: looked up once, as every request is held against it. */
export interface RequestRules {
  size: number
  readOnly: boolean
  minimum: number
  maximum: number
  /** BLOCK_STATUS was agreed on. */
  allocation: boolean
}

export function rulesOf(of: NbdExport, allocation: boolean): RequestRules {
  const { minimum, maximum } = sizesOf(of)
  return { size: of.backend.size, readOnly: of.readOnly ?? false, minimum, maximum, allocation }
}

/** The flags that each kind of request may have; none for what is no kind. */
const flagsOf: readonly (number | undefined)[] = Object.assign([], {
  [command.read]: commandFlag.fua | commandFlag.df,
  [command.write]: commandFlag.fua,
  [command.flush]: commandFlag.fua,
  [command.trim]: commandFlag.fua,
  [command.writeZeroes]: commandFlag.fua | commandFlag.noHole | commandFlag.fastZero,
  [command.blockStatus]: commandFlag.fua | commandFlag.reqOne,
})

/** The error number of a request that cannot be done; undefined where it can. */
export function refusalOf(request: Request, rules: RequestRules): number | undefined {
  const { kind, flags, offset, length } = request
  const { size, readOnly, minimum, maximum, allocation } = rules
  const known = flagsOf[kind]
  if (known === undefined || (flags & ~known) !== 0) return errorNumber.EINVAL
  const isChange = kind === command.write || kind === command.trim || kind === command.writeZeroes
  if (isChange && readOnly) return errorNumber.EPERM
  if (kind === command.flush) return undefined
  if ((kind === command.read || kind === command.write) && length > maximum) return errorNumber.EINVAL
  if (offset + length > size) return errorNumber[isChange && kind !== command.trim ? 'ENOSPC' : 'EINVAL']
  if (minimum > 1 && (offset % minimum !== 0 || length % minimum !== 0)) return errorNumber.EINVAL
  if (kind === command.blockStatus && (!allocation || length === 0)) return errorNumber.EINVAL
  return undefined
}
