/** `atoi` of glibc on a 64-bit machine: leading white space, a sign, digits; saturates as a long, then keeps the low 32 bits. */
export function atoi(text: string): number {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([+-]?)([0-9]*)/.exec(text) as unknown as [string, string, string]
  if (digits.length < 10) return sign === '-' ? 0 - Number(digits) : Number(digits)
  const magnitude = digits.length > 19 ? 1n << 64n : BigInt(digits)
  const long = sign === '-' ? max(-magnitude, -(1n << 63n)) : min(magnitude, (1n << 63n) - 1n)
  return Number(BigInt.asIntN(32, long))
}

const min = (a: bigint, b: bigint) => (a < b ? a : b)
const max = (a: bigint, b: bigint) => (a > b ? a : b)
