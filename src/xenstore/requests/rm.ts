import { type PathProblem, pathProblem } from '../check-path.js'
import { done } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

const rootProblem: PathProblem = { code: 'EINVAL', message: 'the root cannot be removed' }

export const rm = {
  operation: 'RM',
  path: path => path,
  // oxenstored removes all that there is
  problem: path => (path === '/' ? rootProblem : pathProblem(path)),
  fields: path => [path],
  decode: done,
} satisfies RequestKind<[path: string], void>
