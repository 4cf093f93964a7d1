import type { Buffer } from 'node:buffer'
import { decodeText } from '../byte-text.js'
import { Malformed } from './malformed.js'

/** The answers of the protocol, as far as several requests share them. */

/** "OK": done. */
export function done(payload: Buffer): void {
  const { length } = payload
  const ok = payload[0] === 0x4f && payload[1] === 0x4b && (length === 2 || (length === 3 && payload[2] === 0))
  if (!ok) throw new Malformed(`an acknowledgement that is not "OK": ${quoted(payload)}`)
}

/** One text, whose NUL may be missing. */
export function text(payload: Buffer): string {
  const end = payload.indexOf(0)
  if (end !== -1 && end !== payload.length - 1) throw new Malformed(`several texts instead of one: ${quoted(payload)}`)
  return decodeText(end === -1 ? payload : payload.subarray(0, end))
}

/** A number of 32 bits in decimal. */
export function number(payload: Buffer): number {
  const digits = text(payload)
  const value = /^[0-9]{1,10}$/.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY
  if (value > 0xffff_ffff) throw new Malformed(`no number of 32 bits: ${quoted(payload)}`)
  return value
}

/** Texts that a NUL ends each; the last may lack it. */
export function texts(payload: Buffer): string[] {
  if (payload.length === 0) return []
  const all = decodeText(payload).split('\0')
  if (all.at(-1) === '') all.pop()
  return all
}

export const quoted = (payload: Buffer): string => JSON.stringify(payload.toString('latin1', 0, 60))
