import { Buffer } from 'node:buffer'
import {
  checkArray,
  checkFlag,
  checkInteger,
  checkMethods,
  checkObject,
  checkOptionalText,
  checkText,
  outOfRange,
} from '../check-argument.js'
import type { BlockBackend } from './block-backend.js'
import { exportFlag, exportNameMax } from './protocol.js'

/** What a client may ask for at once, in bytes. */
export interface BlockSizes {
  /** Offsets and lengths are multiples of it: a power of two, at most 65,536; 1 by default. */
  minimum?: number | undefined
  /** A power of two, at least 512 and the minimum; 4,096 by default. */
  preferred?: number | undefined
  /** A multiple of the minimum, at least the preferred one; 32 MiB by default, and at most. */
  maximum?: number | undefined
}

/** A disk under its name. */
export interface NbdExport {
  /** At most 4,096 bytes, without NUL; '' is the default export. */
  name: string
  backend: BlockBackend
  description?: string | undefined
  /** False by default. */
  readOnly?: boolean | undefined
  blockSizes?: BlockSizes | undefined
  /**
   * Says that several connections may be used as one: a flush on one of them covers what all of them wrote. True by default, as it is so
   * wherever the backend's own `flush` covers all its writes.
   */
  allowMulti?: boolean | undefined
  /** Tells clients that the disk turns, so that they order their requests. False by default. */
  rotational?: boolean | undefined
}

/** What is known of the client that asks for an export. */
export interface NbdAsker {
  /** Whether its certificate, which the server's authority has signed, is of that very name. Not there where it has shown none. */
  readonly isCertified?: ((name: string) => boolean) | undefined
}

/** Those that there are, or who knows them by name, asked anew by every client. */
export type NbdExports = readonly NbdExport[] | ((name: string, asker: NbdAsker) => NbdExport | undefined)

/** The least that a preferred size may be, by the specification. */
export const preferredMin = 512
const requestMax = 32 * 1024 * 1024

export function checkExports(exports: unknown): void {
  if (typeof exports === 'function') return
  checkArray('exports', exports, 'exports, or a function from a name to one')
  for (const [index, one] of (exports as unknown[]).entries()) checkExport(`exports[${index}]`, one)
}

/** @throws TypeError, RangeError */
export function checkExport(where: string, given: unknown): void {
  checkObject(where, given, 'an export')
  const { name, backend, description, readOnly, blockSizes, allowMulti, rotational } = given as NbdExport
  checkText(`${where}.name`, name)
  checkOptionalText(`${where}.description`, description)
  checkShort(`${where}.name`, name)
  checkShort(`${where}.description`, description ?? '')
  checkMethods(`${where}.backend`, backend, ['read', 'write', 'writeZeroes', 'trim', 'flush'], 'a block backend')
  checkInteger(`${where}.backend.size`, backend.size, 0, Number.MAX_SAFE_INTEGER)
  checkFlag(`${where}.readOnly`, readOnly)
  checkFlag(`${where}.allowMulti`, allowMulti)
  checkFlag(`${where}.rotational`, rotational)
  if (blockSizes === undefined) return
  checkObject(`${where}.blockSizes`, blockSizes)
  const { minimum, preferred, maximum } = sizesOf(given as NbdExport)
  const least = Math.max(minimum, preferredMin)
  checkSize(`${where}.blockSizes.minimum`, minimum, 1, 65_536, isPower, 'a power of two')
  const isMultiple = (size: number) => size % minimum === 0
  checkSize(`${where}.blockSizes.maximum`, maximum, least, requestMax, isMultiple, 'a multiple of the minimum')
  checkSize(`${where}.blockSizes.preferred`, preferred, least, maximum, isPower, 'a power of two')
}

/** The names for a LIST. @throws TypeError, RangeError */
export function checkNames(names: readonly string[]): readonly string[] {
  checkArray('names()', names, 'names')
  for (const [index, name] of names.entries()) {
    checkText(`names()[${index}]`, name)
    checkShort(`names()[${index}]`, name)
  }
  return names
}

function checkShort(where: string, text: string): void {
  if (Buffer.byteLength(text) > exportNameMax || text.includes('\0'))
    throw outOfRange(where, `at most ${exportNameMax} bytes without NUL`, text)
}

function checkSize(
  where: string,
  size: number,
  min: number,
  max: number,
  fits: (size: number) => boolean,
  what: string,
): void {
  checkInteger(where, size, min, max)
  if (!fits(size)) throw outOfRange(where, what, size)
}

/** Up to 2^31. */
export const isPower = (size: number): boolean => size > 0 && (size & (size - 1)) === 0

export function sizesOf({ blockSizes = {} }: NbdExport): { minimum: number; preferred: number; maximum: number } {
  const { minimum = 1, maximum = requestMax } = blockSizes
  const usual = Math.max(4096, minimum)
  const { preferred = maximum < usual ? 2 ** Math.floor(Math.log2(maximum)) : usual } = blockSizes
  return { minimum, preferred, maximum }
}

export function flagsOf({ readOnly, allowMulti = true, rotational }: NbdExport, structured: boolean): number {
  const writing = readOnly
    ? exportFlag.readOnly
    : exportFlag.sendFua | exportFlag.sendTrim | exportFlag.sendWriteZeroes | exportFlag.sendFastZero
  return (
    exportFlag.hasFlags |
    exportFlag.sendFlush |
    writing |
    (rotational ? exportFlag.rotational : 0) |
    (structured ? exportFlag.sendDf : 0) |
    (allowMulti ? exportFlag.canMultiConn : 0)
  )
}
