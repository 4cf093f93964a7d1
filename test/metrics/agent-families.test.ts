import t from 'tap'
import type { AgentStatus } from 'xenlight/replication'
import { agentFamilies } from '#xenlight/metrics/agent-families.js'
import { GroupCounts } from '#xenlight/replication/node/group-counts.js'
import { agentGroup, agentStatus, volumeIn } from './samples.js'
import { sampleValue, statesOf } from './values.js'

type State = AgentStatus['groups'][number]['volumes'][number]['state']

const none = new Map<string, never>()
const all = ['unprotected', 'syncing', 'resyncing', 'protected', 'degraded', 'paused', 'failed', 'fenced']
const progress = { reason: 'paused', bytes: 90, left: 40, seconds: 2 } as const

/** Each state, its word, and what the hub is not known to have. */
const states: [state: State, word: string, unreplicated: number | undefined][] = [
  [{ state: 'unprotected' }, 'unprotected', undefined],
  [{ state: 'syncing', ...progress }, 'syncing', 40],
  [{ state: 'resyncing', ...progress, left: undefined, bytes: undefined }, 'resyncing', undefined],
  [{ state: 'protected', lag: { bytes: 7, seconds: 1 } }, 'protected', 7],
  [{ state: 'protected', lag: { bytes: undefined, seconds: 1 } }, 'protected', undefined],
  [{ state: 'degraded', since: 1, bytes: 8, why: 'w' }, 'degraded', 8],
  [{ state: 'paused', since: 1, bytes: 9 }, 'paused', 9],
  [{ state: 'failed', why: 'w', code: 'file-failed' }, 'failed', undefined],
  [{ state: 'failed', why: 'w', code: 'fenced' }, 'fenced', undefined],
]

t.test('each state of a volume, and what the hub is not known to have', async t => {
  for (const [state, word, unreplicated] of states) {
    const families = agentFamilies(agentStatus([agentGroup([volumeIn(state)])]), none)
    const labels = { group: 'web', volume: 'root' }
    t.strictSame(statesOf(families, 'xenlight_agent_volume_state', labels), { all, is: [word] }, word)
    t.equal(sampleValue(families, 'xenlight_agent_volume_unreplicated_bytes', labels), unreplicated, word)
    const left = state.state === 'syncing' ? 40 : undefined
    t.equal(
      sampleValue(families, 'xenlight_agent_volume_resync_remaining_bytes', { ...labels, reason: 'paused' }),
      left,
    )
    t.equal(sampleValue(families, 'xenlight_agent_volume_size_bytes', labels), 4096)
  }
})

t.test('recovery point, its target, and the connection', async t => {
  const near = agentGroup([])
  const lost = agentGroup([], { name: 'db', recoveryPoint: { behind: undefined, target: 5, isMet: false } })
  const families = agentFamilies(agentStatus([near, lost], undefined), none)
  const of = (name: string, group: string) => sampleValue(families, `xenlight_agent_group_${name}`, { group })
  t.equal(of('recovery_point_seconds', 'web'), 0.25)
  t.equal(of('recovery_point_seconds', 'db'), undefined)
  t.equal(of('recovery_point_target_seconds', 'db'), 5)
  t.equal(of('recovery_point_met', 'web'), 1)
  t.equal(of('recovery_point_met', 'db'), 0)
  t.equal(of('queued_bytes', 'web'), 55)
  t.equal(of('epoch', 'web'), 2)
  t.equal(of('clients', 'web'), 1)
  t.equal(sampleValue(families, 'xenlight_agent_hub_connected'), 1)
  t.equal(
    sampleValue(
      agentFamilies({ ...agentStatus([]), hub: { address: 'h', name: undefined, why: 'w' } }, none),
      'xenlight_agent_hub_connected',
    ),
    0,
  )
})

t.test('what was counted: cycles of groups that have them only', async t => {
  const cycled = new GroupCounts({ hasCycles: true })
  const settled = { kind: 'settled', cycle: 1, held: 1, time: 1, bytes: 1, whole: [], left: [] } as const
  cycled.event({ type: 'outcome', outcome: { ...settled, took: { copy: 200, hub: 300 } } })
  cycled.event({ type: 'outcome', outcome: { kind: 'failed', cycle: 2, step: 'copy', why: 'w', left: [] } })
  cycled.event({ type: 'cut', cycle: 2, why: 'w' })
  cycled.event({ type: 'copied', cycle: 2, bytes: 1 })
  const inline = new GroupCounts({ hasCycles: false })
  inline.forwarded.observe(0.004)
  const families = agentFamilies(
    agentStatus([agentGroup([]), agentGroup([], { name: 'db' })]),
    new Map([
      ['web', inline],
      ['db', cycled],
    ]),
  )
  const of = (name: string, labels: Record<string, string>) =>
    sampleValue(families, `xenlight_agent_group_${name}`, labels)
  t.equal(of('cycles_total', { group: 'db', outcome: 'settled' }), 1)
  t.equal(of('cycles_total', { group: 'db', outcome: 'failed' }), 1)
  t.equal(of('cycles_total', { group: 'db', outcome: 'skipped' }), 0)
  t.equal(of('cycles_total', { group: 'web', outcome: 'settled' }), undefined)
  t.equal(of('cycle_duration_seconds_sum', { group: 'db' }), 0.5)
  t.equal(of('cycle_duration_seconds_count', { group: 'db' }), 1)
  t.equal(of('cycle_duration_seconds_count', { group: 'web' }), undefined)
  t.equal(of('yanks_total', { group: 'db' }), 1)
  t.equal(of('yanks_total', { group: 'web' }), 0)
  t.equal(of('forward_seconds_count', { group: 'web' }), 1)
  t.equal(of('forward_seconds_bucket', { group: 'web', le: '0.0025' }), 0)
  t.equal(of('forward_seconds_bucket', { group: 'web', le: '0.005' }), 1)
})

t.test('of more volumes than 4096 the first have metrics, and all are counted', async t => {
  const volumes = Array.from({ length: 256 }, (_, index) => volumeIn({ state: 'unprotected' }, `d${index}`))
  const groups = Array.from({ length: 17 }, (_, index) => agentGroup(volumes, { name: `g${index}` }))
  const families = agentFamilies(agentStatus(groups), none)
  t.equal(sampleValue(families, 'xenlight_agent_volumes'), 17 * 256)
  t.equal(families.find(({ name }) => name === 'xenlight_agent_volume_size_bytes')!.samples.length, 4096)
})
