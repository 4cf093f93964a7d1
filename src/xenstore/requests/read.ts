import type { Buffer } from 'node:buffer'
import { decodeText } from '../../byte-text.js'
import type { RequestKind } from '../request-kind.js'

export const readBytes = {
  operation: 'READ',
  path: path => path,
  fields: path => [path],
  decode: value => value,
} satisfies RequestKind<[path: string], Buffer>

export const read = { ...readBytes, decode: decodeText } satisfies RequestKind<[path: string], string>
