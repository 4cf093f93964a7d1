import { ReplicationError } from '../replication-error.js'

/** No room is a state that ends; anything else is not. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(Object(error).code)

/** What a file's error means for the journal: `full` or `file-failed`. */
export function asReplicationError(error: unknown): ReplicationError {
  if (error instanceof ReplicationError) return error
  const why = error instanceof Error ? error.message : String(error)
  return isFull(error)
    ? new ReplicationError('full', `the journal's disk is full: ${why}. Make room there`, { cause: error })
    : new ReplicationError(
        'file-failed',
        `the journal cannot be read or written: ${why}. Look at its disk, then open it again`,
        { cause: error },
      )
}

export const noSuchPoint = (position: number): ReplicationError =>
  new ReplicationError(
    'no-such-point',
    `position ${position} is no point that is kept: it is folded or undone, or the replica was not settled there`,
  )
