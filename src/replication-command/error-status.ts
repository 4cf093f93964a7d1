import { SystemError } from '../command-line/system-error.js'
import { ConfigError } from '../replication/config/config-error.js'
import { ReplicationError, type ReplicationErrorCode } from '../replication/replication-error.js'
import { XenlightError } from '../xenlight-error.js'

/** What an agent or a hub says before it has changed anything. */
const refusals: ReadonlySet<ReplicationErrorCode> = new Set([
  ...(['bad-name', 'not-found', 'in-use', 'not-allowed', 'fenced', 'owned'] as const),
  ...(['no-such-point', 'not-failed-over', 'wrong-state'] as const),
])

/** What an error stands for; undefined of one that is the command's own fault. */
export function kindOfError(error: unknown): 'refused' | 'failed' | 'wrongUsage' | undefined {
  if (error instanceof ConfigError) return 'wrongUsage'
  if (error instanceof ReplicationError && refusals.has(error.code)) return 'refused'
  const isForeseen = error instanceof XenlightError || error instanceof SystemError || isOfSystem(error)
  return isForeseen ? 'failed' : undefined
}

/** A file or a socket that the system refuses. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error
