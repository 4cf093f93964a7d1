import { XenstoreError } from '../../xenstore/xenstore-error.js'
import { ClaimDisturbed } from './device-claim.js'

/**
 * Whether a request in a transaction failed since another transaction was committed meanwhile. xenstored shows a transaction
 * a node as it is when the transaction first asks for it: of two nodes, one may be from before and its parent from after, and
 * RM then fails with EIO or EINVAL. That is a conflict like any other, to be tried again.
 */
export const isContradiction = (error: unknown): boolean =>
  error instanceof ClaimDisturbed ||
  (error instanceof XenstoreError && (error.code === 'EIO' || (error.code === 'EINVAL' && error.operation === 'RM')))

/** How often to try again: a daemon that is out of order says EIO, too. */
export const mostContradictions = 50

/** How long to wait before that, in milliseconds: at random, or two would meet again. */
export const contradictionPause = (attempt: number): number => Math.random() * Math.min(attempt, 20)
