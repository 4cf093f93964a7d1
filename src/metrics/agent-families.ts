import type { VolumeState } from '../replication/agent/volume-state.js'
import type { AgentStatus } from '../replication/node/agent.js'
import type { GroupCounts } from '../replication/node/group-counts.js'
import { counter, type Family, gauge, histogram, type Labels, stateSamples } from './family.js'

/** How many volumes have metrics of their own: all of them are counted. */
const volumesAtMost = 4096

const states = [
  ...(['unprotected', 'syncing', 'resyncing', 'protected'] as const),
  ...(['degraded', 'paused', 'failed', 'fenced'] as const),
] as const

interface Row {
  labels: Labels
  size: number | undefined
  state: VolumeState
}

/** What an agent knows of its groups, and what was counted of each since it was started, by the groups' names. */
export function agentFamilies({ hub, groups }: AgentStatus, counts: ReadonlyMap<string, GroupCounts>): Family[] {
  const volumes = groups.flatMap(({ name, volumes }) =>
    volumes.map(({ name: volume, size, state }): Row => ({ labels: { group: name, volume }, size, state })),
  )
  const shown = volumes.slice(0, volumesAtMost)
  const each = (value: (group: (typeof groups)[number]) => number | boolean | undefined) =>
    groups.map(group => [{ group: group.name }, value(group)] as const)
  const ofVolumes = (value: (row: Row) => number | undefined) => shown.map(row => [row.labels, value(row)] as const)
  const syncing = shown.flatMap(({ labels, state }) =>
    state.state === 'syncing' || state.state === 'resyncing'
      ? [{ labels: { ...labels, reason: state.reason }, state }]
      : [],
  )
  const all = [...counts]
  const cycled = all.filter(([, { hasCycles }]) => hasCycles)
  return [
    gauge('xenlight_agent_hub_connected', 'Whether there is a connection to the hub.', [[{}, hub.name !== undefined]]),
    gauge(
      'xenlight_agent_group_recovery_point_seconds',
      'How far a recovery now would go back; none where the hub is not known to have any moment.',
      each(({ recoveryPoint }) => recoveryPoint.behind),
    ),
    gauge(
      'xenlight_agent_group_recovery_point_target_seconds',
      'How far a recovery may go back.',
      each(({ recoveryPoint }) => recoveryPoint.target),
    ),
    gauge(
      'xenlight_agent_group_recovery_point_met',
      'Whether the recovery point is as near as it is to be.',
      each(({ recoveryPoint }) => recoveryPoint.isMet),
    ),
    gauge(
      'xenlight_agent_group_queued_bytes',
      'What waits for the hub, or for its acknowledgement.',
      each(({ queued }) => queued),
    ),
    gauge(
      'xenlight_agent_group_epoch',
      'Of the last take-over that the agent knows of.',
      each(({ epoch }) => epoch),
    ),
    gauge(
      'xenlight_agent_group_clients',
      'How many connections QEMU has to the group.',
      each(({ clients }) => clients),
    ),
    gauge(
      'xenlight_agent_volumes',
      `How many volumes there are; the first ${volumesAtMost} have metrics of their own.`,
      [[{}, volumes.length]],
    ),
    gauge(
      'xenlight_agent_volume_state',
      'The state that a volume is in: 1 for that one, 0 for all others.',
      shown.flatMap(({ labels, state }) => stateSamples(labels, states, stateOf(state))),
    ),
    gauge(
      'xenlight_agent_volume_size_bytes',
      'How large the volume is.',
      ofVolumes(({ size }) => size),
    ),
    gauge(
      'xenlight_agent_volume_unreplicated_bytes',
      'What the hub is not known to have of the volume, where that is known.',
      ofVolumes(({ state }) => unreplicated(state)),
    ),
    gauge(
      'xenlight_agent_volume_resync_remaining_bytes',
      'What is left to be compared or sent, and why the replica is brought up to date.',
      syncing.map(({ labels, state }) => [labels, state.left]),
    ),
    gauge(
      'xenlight_agent_volume_resync_total_bytes',
      'How much there was to be compared or sent.',
      syncing.map(({ labels, state }) => [labels, state.bytes]),
    ),
    histogram(
      'xenlight_agent_group_forward_seconds',
      "How old the oldest message was when the hub acknowledged it: one for each of the hub's acknowledgements.",
      all.map(([group, { forwarded }]) => [{ group }, forwarded]),
    ),
    histogram(
      'xenlight_agent_group_cycle_duration_seconds',
      'How long cycles took that the hub has, from the first copy on.',
      cycled.map(([group, { cycleTimes }]) => [{ group }, cycleTimes]),
    ),
    counter(
      'xenlight_agent_group_cycles_total',
      'What became of cycles.',
      cycled.flatMap(([group, { cycles }]) =>
        Object.entries(cycles).map(([outcome, count]) => [{ group, outcome }, count] as const),
      ),
    ),
    counter(
      'xenlight_agent_group_yanks_total',
      "How often QEMU's connection to the agent was cut, so that the guest goes on.",
      all.map(([group, { yanks }]) => [{ group }, yanks]),
    ),
  ]
}

/** What was taken over by another side is no failure of a disk. */
const stateOf = (state: VolumeState): (typeof states)[number] =>
  state.state === 'failed' && state.code === 'fenced' ? 'fenced' : state.state

function unreplicated(state: VolumeState): number | undefined {
  switch (state.state) {
    case 'protected':
      return state.lag.bytes
    case 'degraded':
    case 'paused':
      return state.bytes
    case 'syncing':
    case 'resyncing':
      return state.left
    default:
      return undefined
  }
}
