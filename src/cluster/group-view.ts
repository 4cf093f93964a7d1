import type { GroupStatus } from '../replication/hub/group-status.js'
import type { AgentStatus } from '../replication/node/agent.js'
import type { AgentGroupStatus } from '../replication/node/agent-group.js'
import type { HubStatus } from '../replication/node/hub-server.js'
import type { ClusterView } from './cluster-view.js'
import { branchPromotion } from './group-names.js'

/** What a cluster manager asks about a group, and in words. */
export interface GroupView extends ClusterView {
  state: string
}

/** How much a side's data is to be preferred, by what that side knows; none where it is not to be promoted. */
const scores = {
  /** Guests have the disks here. */
  promoted: 10_000,
  /** The disks that count are here, and the other side says so, or was told so. */
  counts: 1000,
  /** The copy is the present. */
  inSync: 500,
  /** The agent's disks, of which it is not known whether they count; a copy that may lack something. */
  alone: 100,
} as const

/** What a cluster manager asks about a group of an agent's. */
export function agentGroupView(group: AgentGroupStatus): GroupView {
  const { guests, promotion = 0, volumes } = group
  const states = new Set(volumes.map(({ state }) => (isFenced(state) ? 'fenced' : state.state)))
  const words = [...states].sort().join(', ')
  const state = guests === undefined ? 'QEMU has the disks' : `${guests}: ${words || 'no disks'}`
  return { monitor: agentMonitor(guests, states), score: agentScore(guests, states), promotion, state }
}

/** Another side has taken it over, or is writing its disks. */
const isFenced = (state: AgentGroupStatus['volumes'][number]['state']): boolean =>
  state.state === 'failed' && state.code === 'fenced'

function agentMonitor(guests: AgentGroupStatus['guests'], states: ReadonlySet<string>): ClusterView['monitor'] {
  const isEqual = states.size === 1 && states.has('protected')
  switch (guests) {
    case 'open':
      if (states.has('fenced')) return 'failed-promoted'
      return isEqual ? 'promoted' : 'degraded-promoted'
    case 'forced':
      return 'degraded-promoted'
    case 'held':
      return isEqual ? 'running' : 'degraded'
    default:
      return 'failed'
  }
}

function agentScore(guests: AgentGroupStatus['guests'], states: ReadonlySet<string>): number | undefined {
  if (guests === 'forced') return scores.promoted
  if (guests === undefined || guests === 'gone' || states.has('fenced') || states.size === 0) return undefined
  if (guests === 'open') return scores.promoted
  const isTaken = ['protected', 'syncing', 'resyncing'].some(state => states.has(state))
  return isTaken ? scores.counts : scores.alone
}

/** What a cluster manager asks about a group of a hub's. */
export function hubGroupView(group: GroupStatus): GroupView {
  const { state, isHeld, takeOver } = group
  const words = isHeld === true ? `${state}, held` : state
  return {
    monitor: hubMonitor(group),
    score: hubScore(group),
    promotion: branchPromotion(group.branches.find(({ kind }) => kind === 'fail-over')?.name),
    state: takeOver === undefined ? words : `${words} (${takeOver.kind})`,
  }
}

/** Guests have the disks of its fail-over, or may. */
export const isHubPromoted = ({ state, isHeld }: Pick<GroupStatus, 'state' | 'isHeld'>): boolean =>
  isHeld !== true && (state === 'failed-over' || state === 'committed')

function hubMonitor(group: GroupStatus): ClusterView['monitor'] {
  const isLost = group.branches.some(({ kind, lost }) => kind === 'fail-over' && lost !== undefined)
  const hasFailed = group.state === 'failed' || isLost
  if (isHubPromoted(group)) return hasFailed ? 'failed-promoted' : 'degraded-promoted'
  if (hasFailed) return 'failed'
  return group.state === 'protected' ? 'running' : 'degraded'
}

function hubScore(group: GroupStatus): number | undefined {
  const { state, isHeld, newest, busy } = group
  switch (state) {
    case 'failed-over':
    case 'committed':
      if (hubMonitor(group) === 'failed-promoted' || hubMonitor(group) === 'failed') return undefined
      if (isHeld !== true) return scores.promoted
      // one that is given back is half of two sides
      return busy === undefined ? scores.counts : undefined
    case 'failing-over':
      return scores.counts
    case 'protected':
      return scores.inSync
    case 'syncing':
    case 'disconnected':
    case 'full':
      return newest === undefined ? undefined : scores.alone
    default:
      return undefined
  }
}

/** By the groups' names. */
export const agentStates = ({ groups }: AgentStatus): ReadonlyMap<string, GroupView> =>
  new Map(groups.map(group => [group.name, agentGroupView(group)]))

export function hubStates({ groups, closed, problem }: HubStatus): ReadonlyMap<string, GroupView> {
  const failed = (state: string): GroupView => ({ monitor: 'failed', score: undefined, promotion: 0, state })
  return new Map([
    ...groups.map(group => [group.name, problem === undefined ? hubGroupView(group) : failed('taken over')] as const),
    ...closed.map(({ name }) => [name, failed('it cannot be opened')] as const),
  ])
}
