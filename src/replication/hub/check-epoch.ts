import { ReplicationError } from '../replication-error.js'
import type { GroupRecord, TakeOver } from './group-record.js'

const kinds: Readonly<Record<TakeOver['kind'], string>> = {
  'fail-over': 'failed over',
  'roll-back': 'rolled a fail-over back',
  commit: 'committed a branch',
  'fail-back': 'failed it back',
}

/** Who took a group over last, and when, for messages. */
export function takenOverBy({ takeOver }: Pick<GroupRecord, 'takeOver'>): string {
  if (takeOver === undefined) return 'nobody has taken it over'
  return `${takeOver.by} ${kinds[takeOver.kind]} at ${new Date(takeOver.time / 1000).toISOString()}`
}

/**
 * Whether an agent has the truth of a group, by the epoch that it knows of (0 where it knows of none).
 *
 * @throws ReplicationError fenced where it has not; wrong-state where this hub has forgotten what the agent knows
 */
export function checkEpoch(record: GroupRecord, agent: string, known: number): void {
  const { name, epoch, truthSince, life, invited } = record
  const fenced = (why: string) =>
    new ReplicationError('fenced', `the group ${name} is at epoch ${epoch}: ${takenOverBy(record)}; ${why}`)
  if (life.state !== 'protected')
    throw fenced(
      `it is ${life.state} on the branch ${life.branch}, and takes no stream until that is rolled back or failed back`,
    )
  if (known > epoch)
    throw new ReplicationError(
      'wrong-state',
      `the agent ${agent} knows epoch ${known} of the group ${name}, and this hub ${epoch} only: it is not the hub that has the group, or its data are an old copy`,
    )
  if (known === epoch || invited === agent) return
  const isKnown = known === 0 ? truthSince === 1 : known >= truthSince
  const isSame = record.agent === undefined || record.agent === agent
  if (!isKnown) throw fenced(`what the agent ${agent} has is of before that: fail the group back to it`)
  if (!isSame && epoch > 1)
    throw fenced(`the agent ${record.agent} may go on without knowing of it, and ${agent} is another one`)
}
