import { watchPathProblem } from '../check-path.js'
import { done } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

export const watch = {
  operation: 'WATCH',
  path: path => path,
  problem: watchPathProblem,
  fields: (path, token, depth) => (depth === undefined ? [path, token] : [path, token, String(depth)]),
  decode: done,
} satisfies RequestKind<[path: string, token: string, depth?: number], void>

export const unwatch = {
  operation: 'UNWATCH',
  path: path => path,
  problem: watchPathProblem,
  fields: (path, token) => [path, token],
  decode: done,
} satisfies RequestKind<[path: string, token: string], void>

export const resetWatches = {
  operation: 'RESET_WATCHES',
  fields: () => [''],
  decode: done,
} satisfies RequestKind<[], void>
