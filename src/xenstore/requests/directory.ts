import { texts } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

export const directory = {
  operation: 'DIRECTORY',
  path: path => path,
  fields: path => [path],
  decode: texts,
} satisfies RequestKind<[path: string], string[]>
