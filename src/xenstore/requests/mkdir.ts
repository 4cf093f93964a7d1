import { done } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

export const mkdir = {
  operation: 'MKDIR',
  path: path => path,
  fields: path => [path],
  decode: done,
} satisfies RequestKind<[path: string], void>
