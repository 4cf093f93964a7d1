import { done, number } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

export const transactionStart = {
  operation: 'TRANSACTION_START',
  fields: () => [''],
  decode: number,
} satisfies RequestKind<[], number>

export const transactionEnd = {
  operation: 'TRANSACTION_END',
  fields: commit => [commit ? 'T' : 'F'],
  decode: done,
} satisfies RequestKind<[commit: boolean], void>
