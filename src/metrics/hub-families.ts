import type { GroupState, GroupStatus } from '../replication/hub/group-status.js'
import type { TakeOverCounts } from '../replication/hub/take-over-counts.js'
import type { HubStatus } from '../replication/node/hub-server.js'
import type { LeaseHolding } from '../replication/node/lease-status.js'
import { counter, type Family, gauge, stateSamples } from './family.js'

/** How many groups have metrics of their own: all of them are counted. */
const groupsAtMost = 2000

const states = [
  ...(['empty', 'syncing', 'protected', 'disconnected', 'full', 'failed'] as const),
  ...(['failing-over', 'failed-over', 'rolling-back', 'committed', 'returning'] as const),
] as const satisfies readonly GroupState[]

const leaseStates = ['standing-by', 'opening', 'held', 'lost'] as const satisfies readonly LeaseHolding[]

/** What a hub knows of its groups, and how often each was taken over since it was started, by the groups' names. */
export function hubFamilies(status: HubStatus, takeOvers: ReadonlyMap<string, TakeOverCounts>): Family[] {
  const groups = status.groups.slice(0, groupsAtMost)
  const closed = status.closed.slice(0, groupsAtMost)
  const leases = status.lease === undefined ? [] : [status.lease]
  const each = (value: (group: GroupStatus) => number | boolean | undefined) =>
    groups.map(group => [{ group: group.name }, value(group)] as const)
  return [
    gauge('xenlight_hub_taken_over', 'Whether another hub has taken over: this one does nothing any more.', [
      [{}, status.problem !== undefined],
    ]),
    gauge(
      'xenlight_hub_lease_state',
      'What the hub has of its lease: 1 for that one, 0 for all others.',
      leases.flatMap(({ name, state }) => stateSamples({ lease: name }, leaseStates, state)),
    ),
    gauge(
      'xenlight_hub_lease_epoch',
      'The epoch of whoever has the lease, or had it last.',
      leases.map(({ name, epoch }) => [{ lease: name }, epoch]),
    ),
    gauge('xenlight_hub_agents', 'How many agents are connected.', [[{}, status.agents.length]]),
    gauge('xenlight_hub_groups', `How many groups there are; the first ${groupsAtMost} have metrics of their own.`, [
      [{}, status.groups.length],
    ]),
    gauge(
      'xenlight_hub_group_closed',
      'A group that cannot be opened, with the code of its error.',
      closed.map(({ name, code }) => [{ group: name, code }, 1]),
    ),
    gauge(
      'xenlight_hub_group_state',
      'The state that a group is in: 1 for that one, 0 for all others.',
      groups.flatMap(({ name, state }) => stateSamples({ group: name }, states, state)),
    ),
    gauge(
      'xenlight_hub_group_attached',
      'Whether an agent sends the group.',
      each(({ isAttached }) => isAttached),
    ),
    gauge(
      'xenlight_hub_group_consistent',
      "Whether the replica is a moment of the guest's disks.",
      each(({ unsettled }) => unsettled === undefined),
    ),
    gauge(
      'xenlight_hub_group_epoch',
      'How often the group was taken over, from 1 on.',
      each(({ epoch }) => epoch),
    ),
    gauge(
      'xenlight_hub_group_term',
      'The number of the claim by which this hub owns the group: with a lease its epoch.',
      each(({ term }) => term),
    ),
    gauge(
      'xenlight_hub_group_newest_timestamp_seconds',
      "The newest moment that can be started, by the agent's clock; a guest that writes nothing has no newer one.",
      each(({ newest }) => seconds(newest?.time)),
    ),
    gauge(
      'xenlight_hub_group_heard_timestamp_seconds',
      'When its agent sent anything last.',
      each(({ heard }) => seconds(heard)),
    ),
    gauge(
      'xenlight_hub_group_undurable_bytes',
      'What was received, and is not durable yet.',
      each(({ lag }) => lag),
    ),
    gauge(
      'xenlight_hub_group_history_seconds',
      'How far the journal goes back: from its newest moment to its oldest one, of the newest 1000 ranges.',
      each(({ history }) => historyOf(history)),
    ),
    gauge(
      'xenlight_hub_group_history_target_seconds',
      'How far the journal is to go back.',
      each(({ limits }) => seconds(limits.history)),
    ),
    ...(['journal', 'image', 'overlay'] as const).flatMap(what => [
      gauge(
        `xenlight_hub_group_${what}_bytes`,
        `${texts[what]}.`,
        each(({ used }) => used[`${what}Bytes`]),
      ),
      gauge(
        `xenlight_hub_group_${what}_limit_bytes`,
        `The limit of xenlight_hub_group_${what}_bytes, where there is one.`,
        each(({ limits }) => limited(limits[`${what}Bytes`])),
      ),
    ]),
    gauge(
      'xenlight_hub_group_branches',
      'How many branches there are, of tests and fail-overs.',
      groups.flatMap(({ name, branches }) =>
        (['test', 'fail-over'] as const).map(
          kind => [{ group: name, kind }, branches.filter(branch => branch.kind === kind).length] as const,
        ),
      ),
    ),
    gauge(
      'xenlight_hub_group_fail_back_remaining_bytes',
      'What a fail-back that is under way has still to copy.',
      each(({ busy }) => busy && (busy.waits?.left ?? Math.max(0, busy.all - busy.done))),
    ),
    counter(
      'xenlight_hub_group_take_overs_total',
      'How often the truth went to another side since the hub was started.',
      groups.flatMap(({ name }) =>
        Object.entries(takeOvers.get(name) ?? {}).map(([kind, count]) => [{ group: name, kind }, count] as const),
      ),
    ),
  ]
}

const texts = {
  journal: 'What the journal has on the disk',
  image: 'What the images have on the disk',
  overlay: 'What recovery guests wrote to the branches',
} as const

const limited = (bytes: number): number | undefined => (bytes >= Number.MAX_SAFE_INTEGER ? undefined : bytes)

/** Of microseconds. */
const seconds = (time: number | undefined): number | undefined => (time === undefined ? undefined : time / 1_000_000)

function historyOf(history: GroupStatus['history']): number {
  const [oldest] = history
  const newest = history.at(-1)
  return oldest === undefined || newest === undefined ? 0 : Math.max(0, (newest.to.time - oldest.from.time) / 1_000_000)
}
