import { ReplicationError } from '../replication-error.js'

/** What the hub may be allowed to do with a group. */
export type HubRight = 'control' | 'fail-back' | 'read' | 'write'

/** @param given what the group's configuration allows @throws ReplicationError not-allowed */
export function checkRight(group: string, given: readonly HubRight[], right: HubRight): void {
  if (given.includes(right)) return
  const hint = `add '${right}' to hubMay of the group in the agent's configuration`
  throw new ReplicationError('not-allowed', `the hub may not do this with ${group}: ${hint}`)
}
