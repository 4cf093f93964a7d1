import t from 'tap'
import type { AgentStatus, VolumeState } from 'xenlight/replication'
import { exitStatuses } from '#xenlight/repagent/exit-status.js'
import { briefText, statusLines, statusOf } from '#xenlight/repagent/status-lines.js'

const met = { behind: 0.2, target: 5, isMet: true }
const kept: VolumeState = { state: 'protected', lag: { bytes: 0, seconds: 0 } }
const degraded: VolumeState = { state: 'degraded', since: 0, bytes: 65536, why: 'gone' }

function agent(states: readonly VolumeState[], recoveryPoint: AgentStatus['groups'][number]['recoveryPoint'] = met) {
  const volumes = states.map((state, number) => ({ name: `d${number}`, number, size: 512, state }))
  const status: AgentStatus = {
    name: 'anna',
    hub: { address: 'h:1', name: 'hub', why: undefined },
    groups: [
      {
        ...{ name: 'web', epoch: 1, queued: 0, recoveryPoint, volumes, clients: 1, way: 'inline' as const },
        disks: [{ name: 'd0', url: 'nbd+unix:///web/d0?socket=/r/web.d0.sock' }],
      },
    ],
  }
  return status
}

t.test('how all is protected, for people', async t => {
  t.strictSame(statusLines(agent([kept, degraded])), [
    'agent anna, connected to the hub hub at h:1',
    'web: recovery point 0.2 s ago, target 5 s; 1 client',
    '  d0: protected',
    '    nbd+unix:///web/d0?socket=/r/web.d0.sock',
    '  d1: degraded since 1970-01-01 00:00:00Z, 64.0 KiB may differ (gone)',
  ])
  const alone = agent([kept], { behind: undefined, target: 5, isMet: false })
  const lines = statusLines({
    ...alone,
    hub: { address: '/h\x1b', name: undefined, why: 'refused\n' },
    groups: [{ ...alone.groups[0]!, queued: 2048, clients: 2 }],
  })
  t.equal(lines[0], 'agent anna, not connected to the hub at /h␛ (refused␊)')
  t.equal(lines[1], 'web: no recovery point, target 5 s; 2 clients; 2.0 KiB wait for the hub')
  t.match(statusLines(agent([kept], { behind: 9, target: 5, isMet: false }))[1], /9 s ago, target 5 s: NOT MET;/)
  t.strictSame(statusLines({ ...alone, groups: [] }).slice(1), ['no groups'])
})

t.test('what a cluster says of who has the disks', async t => {
  const of = (more: Partial<AgentStatus['groups'][number]>) => {
    const status = agent([kept])
    return { ...status, groups: [{ ...status.groups[0]!, ...more }] }
  }
  for (const [more, shown] of [
    [{ guests: 'held', isManaged: true }, /held: no guest gets its disks$/],
    [{ guests: 'forced', isManaged: true }, /open to guests by an operator's word$/],
  ] as const) {
    t.match(statusLines(of(more))[1], shown)
    t.match(briefText(of(more)), shown)
  }
  for (const more of [{ guests: 'open', isManaged: true }, { guests: 'held', isManaged: false }, {}] as const)
    t.notMatch(briefText(of(more)), /held|open/)
})

t.test('each bad state has an exit status of its own, and the worst counts', async t => {
  const progress = { reason: 'restart', bytes: 1, left: 1, seconds: undefined } as const
  const wanted: [VolumeState, number][] = [
    [kept, 0],
    [{ state: 'syncing', ...progress }, exitStatuses.syncing[0]],
    [{ state: 'resyncing', ...progress }, exitStatuses.syncing[0]],
    [{ state: 'paused', since: 0, bytes: 0 }, exitStatuses.paused[0]],
    [degraded, exitStatuses.degraded[0]],
    [{ state: 'unprotected' }, exitStatuses.unprotected[0]],
    [{ state: 'failed', why: 'x' }, exitStatuses.volumeFailed[0]],
    [{ state: 'failed', why: 'x', code: 'not-allowed' }, exitStatuses.volumeFailed[0]],
    [{ state: 'failed', why: 'x', code: 'fenced' }, exitStatuses.fenced[0]],
  ]
  for (const [state, status] of wanted) {
    t.equal(statusOf(agent([state])), status, state.state)
    t.equal(statusOf(agent([kept, state, kept])), status)
  }
  t.equal(statusOf(agent([kept], { ...met, isMet: false })), exitStatuses.behind[0])
  t.equal(statusOf(agent([degraded], { ...met, isMet: false })), exitStatuses.degraded[0])
  t.equal(
    statusOf(
      agent([
        { state: 'failed', why: 'x' },
        { state: 'failed', why: 'x', code: 'fenced' },
      ]),
    ),
    exitStatuses.fenced[0],
  )
  const numbers = Object.values(exitStatuses).map(([number]) => number)
  t.equal(new Set(numbers).size, numbers.length)
})

t.test('what only counts is not in the line that says changes', async t => {
  const before = briefText(agent([kept, kept]))
  t.equal(before, 'connected to the hub hub at h:1; web: protected')
  const lagging: VolumeState = { state: 'protected', lag: { bytes: 9, seconds: 1 } }
  t.equal(briefText(agent([lagging, kept], { ...met, behind: 3 })), before)
  t.equal(briefText(agent([kept], { ...met, isMet: false })), `${before}, behind its target`)
  t.equal(briefText(agent([kept, degraded])), 'connected to the hub hub at h:1; web: d0 protected, d1 degraded (gone)')
})
