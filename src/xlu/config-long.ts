import { strtol } from '../libxl/c-integer.js'

/**
 * What libxlutil makes of a setting as a number, decimal, 0x for hex, 0 for octal. A bigint where a number would not be
 * exact; `range` where it does not fit into 64 bits, `invalid` where it is no number or something follows it.
 */
export function parseLong(text: string): number | bigint | 'range' | 'invalid' {
  const { value, end } = strtol(text)
  if (end === 0) return 'invalid'
  if (value === undefined) return 'range'
  if (end < text.length) return 'invalid'
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
