import { ReplicationError } from '../replication-error.js'
import { systemCode } from './system-code.js'

const fullCodes: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT']

/** A system's error as ours: `full` where there is no room, else `file-failed`. One that is ours already stays as it is. */
export function fileError(what: string, error: unknown): ReplicationError {
  if (error instanceof ReplicationError) return error
  const why = error instanceof Error ? error.message : String(error)
  const code = fullCodes.includes(systemCode(error)) ? 'full' : 'file-failed'
  return new ReplicationError(code, `${what}: ${why}`, { cause: error })
}
