const long = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/
const least = -(2n ** 63n)
const most = 2n ** 63n - 1n

/**
 * What strtol makes of a text in base 0 on a 64-bit machine: decimal, 0x for hex, 0 for octal. A bigint where a number
 * would not be exact; `range` where it does not fit, `invalid` where it is no number or something follows it.
 */
export function parseLong(text: string): number | bigint | 'range' | 'invalid' {
  const match = long.exec(text)
  if (!match) return 'invalid'
  const [all, sign, digits = ''] = match
  const prefix = /^0[xX]/.test(digits) ? '0x' : digits.startsWith('0') ? '0o' : ''
  const significant = digits.slice(prefix === '0x' ? 2 : 0).replace(/^0+/, '') || '0'
  if (significant.length > 24) return 'range'
  const magnitude = BigInt(prefix + significant)
  const value = sign === '-' ? -magnitude : magnitude
  if (value < least || value > most) return 'range'
  if (all.length < text.length) return 'invalid'
  const number = Number(value)
  return Number.isSafeInteger(number) ? number + 0 : value
}
