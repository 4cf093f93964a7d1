import { encodeText } from '../../byte-text.js'
import { done } from '../reply.js'
import type { RequestKind } from '../request-kind.js'
import { XenstoreError } from '../xenstore-error.js'

export const write = {
  operation: 'WRITE',
  path: path => path,
  fields: (path, value) => [path, bytesOf(value)],
  decode: done,
} satisfies RequestKind<[path: string, value: string | Uint8Array], void>

function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return encodeText(value)
  if (value instanceof Uint8Array) return value
  throw new XenstoreError('EINVAL', `a value is text or bytes, not ${value === null ? 'null' : typeof value}`)
}
