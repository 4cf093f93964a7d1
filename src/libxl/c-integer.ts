/** Integers as the C library reads them from text: libxl leaves vdev names, ports and xenstore values to it. */

const maxUnsigned = 0xffff_ffff_ffff_ffffn
const maxSigned = 0x7fff_ffff_ffff_ffffn
const longest = 64

const decimal = /[ \t-\r]*([+-]?)([0-9]+)/y
const anyBase = /[ \t-\r]*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))/y
const zero = '0'.charCodeAt(0)
// scanf, unlike strtol, takes the two characters "0x" alone for a zero
const scanned = /[ \t-\r]*([+-]?)(?:0[xX]([0-9a-fA-F]*)|0([0-7]*)|([1-9][0-9]*))/y

/** A number and the index after it. */
export interface CInteger {
  value: bigint
  end: number
}

/** `strtoul(text, &end, base)`; a value out of range is undefined (C: ERANGE), no number at all ends at 0. */
export function strtoul(text: string, base: 0 | 10): { value: bigint | undefined; end: number } {
  const read = readInteger(base === 0 ? anyBase : decimal, text, 0)
  if (read === undefined) return { value: 0n, end: 0 }
  const { value, end } = read
  return { value: value > maxUnsigned || value < -maxUnsigned ? undefined : BigInt.asUintN(64, value), end }
}

/** `strtol(text, &end, 0)` on a 64-bit machine; a value out of range is undefined (C: ERANGE), no number at all ends at 0. */
export function strtol(text: string): { value: bigint | undefined; end: number } {
  const read = readInteger(anyBase, text, 0)
  if (read === undefined) return { value: 0n, end: 0 }
  const { value, end } = read
  return { value: value > maxSigned || value < -maxSigned - 1n ? undefined : value, end }
}

/** `sscanf`'s `%i` at an index: clamped to a C long, cut to a C int. Undefined where no number stands. */
export function scanInt(text: string, at: number): { value: number; end: number } | undefined {
  const read = readInteger(scanned, text, at)
  return read && { value: toInt(read.value), end: read.end }
}

/** `sscanf`'s `%u` at an index: as unsigned int. */
export function scanUnsigned(text: string, at: number): { value: number; end: number } | undefined {
  const read = readInteger(decimal, text, at)
  return read && { value: toUnsigned(read.value), end: read.end }
}

/** `atoi`: 0 where no number stands, cut to a C int where the number is too large. */
export const atoi = (text: string): number => plainNumber(text) ?? toInt(readInteger(decimal, text, 0)?.value ?? 0n)

/** What nearly every number is: up to nine digits and nothing else. */
function plainNumber(text: string): number | undefined {
  if (text.length === 0 || text.length > 9) return undefined
  let value = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - zero
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value
}

/** `(uint32_t)strtoul(text, NULL, 10)`. */
export const atou = (text: string): number => toUnsigned(readInteger(decimal, text, 0)?.value ?? 0n)

function readInteger(pattern: RegExp, text: string, at: number): CInteger | undefined {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  if (match === null) return undefined
  const magnitude =
    pattern === decimal
      ? toBigInt('', match[2]!)
      : match[2] !== undefined
        ? toBigInt('0x', match[2])
        : match[3] !== undefined
          ? toBigInt('0o', match[3])
          : toBigInt('', match[4]!)
  return { value: match[1] === '-' ? -magnitude : magnitude, end: pattern.lastIndex }
}

/** Beyond 64 digits every number is out of range, and BigInt would take quadratic time. */
function toBigInt(prefix: string, digits: string): bigint {
  const significant = digits.replace(/^0+/, '')
  return significant === '' ? 0n : BigInt(prefix + significant.slice(0, longest))
}

const toInt = (value: bigint): number =>
  Number(BigInt.asIntN(32, value > maxSigned ? maxSigned : value < -maxSigned ? -maxSigned - 1n : value))

const toUnsigned = (value: bigint): number =>
  Number(BigInt.asUintN(32, value > maxUnsigned || value < -maxUnsigned ? maxUnsigned : value))
