import type { ControlClient } from '../control/control-client.js'
import type { Limits } from '../link/limits.js'
import type { GroupStatus } from '../replication/hub/group-status.js'
import { answerOf, answersOf } from '../replication-command/answer.js'

/** What a hub has of a group. @throws LinkError, ReplicationError */
export async function groupStatus(hub: ControlClient, group: string, limits: Limits): Promise<GroupStatus> {
  const [status] = answersOf<GroupStatus>('the hub', await hub.ask('status', { group }, limits), 'name', 'branches')
  return answerOf<GroupStatus>('the hub', status, 'history')
}
