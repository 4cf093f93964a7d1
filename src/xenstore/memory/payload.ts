import type { Buffer } from 'node:buffer'
import { Refusal } from './refusal.js'

/** The strings of a payload, each of which ends in a NUL; what is behind the last one does not count. */
export const stringsOf = (payload: Buffer): string[] => payload.toString('latin1').split('\0').slice(0, -1)

/** The string that is all of a payload. @throws Refusal EINVAL */
export function onlyString(payload: Buffer): string {
  const end = payload.indexOf(0)
  if (end === -1 || end !== payload.length - 1) throw new Refusal('EINVAL')
  return payload.toString('latin1', 0, end)
}

/** The first string of a payload and the bytes behind its NUL. @throws Refusal EINVAL */
export function stringAndRest(payload: Buffer): [text: string, rest: Buffer] {
  const end = payload.indexOf(0)
  if (end === -1) throw new Refusal('EINVAL')
  return [payload.toString('latin1', 0, end), payload.subarray(end + 1)]
}

/** Some strings of a payload that must be there. @throws Refusal EINVAL where there are fewer */
export function atLeast(payload: Buffer, count: number): string[] {
  const strings = stringsOf(payload)
  if (strings.length < count) throw new Refusal('EINVAL')
  return strings
}

/** @throws Refusal EINVAL */
export function parseDomid(text: string | undefined): number {
  const domid = text !== undefined && /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
  if (domid > 0xffff) throw new Refusal('EINVAL')
  return domid
}

/** C's atoi: the digits at the beginning, 0 where there are none; no wider than 32 bits. */
export function parseNumber(text: string | undefined): number {
  const digits = /^[ \t]*([-+]?[0-9]{1,10})/.exec(text ?? '')
  return digits === null ? 0 : Number(digits[1]) | 0
}
