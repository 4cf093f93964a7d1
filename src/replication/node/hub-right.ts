import type { HubRight } from '../config/hub-rights.js'
import { ReplicationError } from '../replication-error.js'

/** @param given what the group's configuration allows @throws ReplicationError not-allowed */
export function checkRight(group: string, given: readonly HubRight[], right: HubRight): void {
  if (given.includes(right)) return
  const hint = `add '${right}' to hubMay of the group in the agent's configuration (--hub-may of protect)`
  throw new ReplicationError('not-allowed', `the hub may not do this with ${group}: ${hint}`)
}
