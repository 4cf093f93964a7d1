import type { GroupStatus } from '../replication/hub/group-status.js'
import type { AgentGroupStatus } from '../replication/node/agent-group.js'

/** What the cluster knows of a group, in its properties. */
export interface GroupFacts {
  /** The number of its last promotion; 0 for none. */
  number: number
  /** The checkpoint that has all that was ever written at the agent's side; undefined where guests may have written since. */
  clean: string | undefined
  /** The hub's epoch after its last promotion; 0 for none. */
  epoch: number
}

/** Whether a side's data may be promoted without an operator's word. */
export type Leave =
  /** `lost`: so much may be lost, in seconds; 0 where nothing is. */
  { may: true; lost: number } | { may: false; why: string }

const no = (why: string): Leave => ({ may: false, why })

/** The agent's disks are older than the hub's where that was promoted and they were not told what it had then. */
export function mayPromoteAgent({ epoch }: Pick<AgentGroupStatus, 'epoch'>, facts: GroupFacts): Leave {
  if (facts.epoch === 0 || epoch > facts.epoch) return { may: true, lost: 0 }
  return no(`the hub was promoted (epoch ${facts.epoch}), and has not failed the group back to here (epoch ${epoch})`)
}

export interface HubQuestion {
  status: Pick<GroupStatus, 'state' | 'newest' | 'mayLack'>
  facts: GroupFacts
  /** The names of the hub's checkpoints. */
  checkpoints: ReadonlySet<string>
  /** How much may be lost without an operator's word, in seconds. */
  mayLose: number | undefined
}

/** The hub's copy is older than the agent's disks, unless the agent's side had ended and the hub had all of it. */
export function mayPromoteHub({ status, facts, checkpoints, mayLose }: HubQuestion): Leave {
  const { state, newest, mayLack } = status
  // the truth is here already
  if (state === 'failed-over' || state === 'committed' || state === 'failing-over') return { may: true, lost: 0 }
  if (newest === undefined) return no('the hub has no moment of the disks yet')
  if (state === 'rolling-back' || state === 'returning' || state === 'failed') return no(`the group is ${state}`)
  if (facts.clean !== undefined && checkpoints.has(facts.clean)) return { may: true, lost: 0 }
  if (mayLack === undefined) return no('it is not known what was written at the agent and is missing here')
  const lack = `what was written at the agent in the last ${mayLack.toFixed(1)} s may be missing here`
  if (mayLose === undefined) return no(`${lack}, and may_lose is not set`)
  if (mayLack > mayLose) return no(`${lack}, and may_lose is ${mayLose} s`)
  return { may: true, lost: mayLack }
}
