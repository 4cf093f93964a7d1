const sizes = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const
const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The longest time, in milliseconds: some ten years. */
const longestTime = 3650 * units.d

/** A number of bytes, such as 512, 50M or 2G; undefined for a text that is none. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,16})([KMGT]?)$/.exec(text) ?? []
  const bytes = digits === undefined ? 0 : Number(digits) * sizes[unit as keyof typeof sizes]
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A time such as 200ms, 1.5s, 2m, 12h or 7d, in milliseconds; undefined for a text that is none. */
export function parseTime(text: string): number | undefined {
  const [, digits, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)$/.exec(text) ?? []
  const time = digits === undefined ? 0 : Math.round(Number(digits) * units[unit as keyof typeof units])
  return time >= 1 && time <= longestTime ? time : undefined
}
