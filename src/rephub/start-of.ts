import type { GroupStatus } from '../replication/hub/group-status.js'
import type { BranchStart } from '../replication/hub/start-arguments.js'
import { ReplicationError } from '../replication/replication-error.js'
import { answerOf, answersOf } from '../replication-command/answer.js'
import { type Asked, ask } from '../replication-command/ask.js'
import type { ShownBranch } from './start-text.js'

/** How a branch is started: by default the fail-over. @throws ReplicationError, LinkError */
export async function startOf(
  asked: Pick<Asked, 'control' | 'timeout'>,
  group: string,
  name: string | undefined,
): Promise<{ branch: ShownBranch; start: BranchStart }> {
  const answer = await ask('the hub', asked, 'start', { group, branch: name })
  const start = answerOf<BranchStart>('the hub', answer, 'volumes', 'arguments')
  // an export's name has it
  const own = name ?? start.volumes[0]?.exportName.split('/')[1]
  const [status] = answersOf<GroupStatus>('the hub', await ask('the hub', asked, 'status', { group }), 'branches')
  const branch = status?.branches.find(one => one.name === own)
  if (branch !== undefined) return { branch, start }
  throw new ReplicationError('not-found', `the group ${group} has no branch ${own ?? ''} any more`)
}
