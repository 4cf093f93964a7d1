import { Buffer } from 'node:buffer'
import { LeaseError } from '../lease-error.js'

/** An object's fields; undefined for what is none. */
export const fieldsOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined

/** @throws LeaseError protocol */
export function object(value: unknown, what: string): Record<string, unknown> {
  const fields = fieldsOf(value)
  if (fields === undefined) throw unexpected(`${what} is no object`)
  return fields
}

/** What each element of an array is read as; none where it is left out, as protobuf leaves out what is empty. @throws LeaseError protocol */
export function list<Element>(value: unknown, what: string, read: (element: unknown) => Element): Element[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw unexpected(`${what} is no array`)
  return value.map(read)
}

/** A number of 64 bits, which comes as text; 0 where it is left out. @throws LeaseError protocol */
export function int64(value: unknown, what: string): string {
  if (value === undefined) return '0'
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) throw unexpected(`${what} is no number`)
  return value
}

/** Bytes, which come as base64, as text; '' where they are left out. @throws LeaseError protocol */
export function bytesText(value: unknown, what: string): string {
  if (value === undefined) return ''
  if (typeof value !== 'string') throw unexpected(`${what} is no text`)
  return Buffer.from(value, 'base64').toString()
}

/** @throws LeaseError protocol */
export function flag(value: unknown, what: string): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw unexpected(`${what} is neither true nor false`)
  return value
}

/** Text as the gateway takes it. */
export const base64 = (text: string): string => Buffer.from(text).toString('base64')

export const unexpected = (what: string): LeaseError => new LeaseError('protocol', `etcd's reply: ${what}`)
