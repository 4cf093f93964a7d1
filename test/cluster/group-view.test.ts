import t from 'tap'
import { agentGroupView, hubGroupView, hubStates } from '#xenlight/cluster/group-view.js'
import type { GroupStatus } from '#xenlight/replication/hub/group-status.js'
import type { AgentGroupStatus } from '#xenlight/replication/node/agent-group.js'

type Volume = AgentGroupStatus['volumes'][number]['state']

const inSync: Volume = { state: 'protected', lag: { bytes: 0, seconds: 0 } }
const syncing: Volume = { state: 'resyncing', reason: 'restart', bytes: 1, left: 1, seconds: 1 }
const degraded: Volume = { state: 'degraded', since: 0, bytes: 0, why: 'there is no connection' }
const fenced: Volume = { state: 'failed', why: 'taken over', code: 'fenced' }
const refused: Volume = { state: 'failed', why: 'not let in', code: 'not-allowed' }

for (const [guests, states, monitor, score] of [
  ['open', [inSync], 'promoted', 10_000],
  ['open', [inSync, syncing], 'degraded-promoted', 10_000],
  ['open', [degraded], 'degraded-promoted', 10_000],
  ['open', [refused], 'degraded-promoted', 10_000],
  ['open', [{ state: 'paused', since: 0, bytes: 0 }], 'degraded-promoted', 10_000],
  ['open', [fenced], 'failed-promoted', undefined],
  ['forced', [fenced], 'degraded-promoted', 10_000],
  ['held', [inSync], 'running', 1000],
  ['held', [syncing], 'degraded', 1000],
  ['held', [degraded], 'degraded', 100],
  ['held', [{ state: 'unprotected' }], 'degraded', 100],
  ['held', [fenced], 'degraded', undefined],
  ['held', [inSync, fenced], 'degraded', undefined],
  ['gone', [inSync], 'failed', undefined],
  [undefined, [inSync], 'failed', undefined],
] as const)
  t.test(`an agent's group, ${guests}: ${states.map(({ state }) => state).join(', ')}`, async t => {
    const volumes = states.map((state, number) => ({ name: `disk${number}`, number, size: 1, state }))
    const status = { guests, volumes, promotion: 1001 } as unknown as AgentGroupStatus
    t.match(agentGroupView(status), { monitor, score, promotion: 1001 })
    t.equal(agentGroupView(status).score, score)
  })

const newest = { position: 1, time: 1 }

for (const [state, more, monitor, score] of [
  ['empty', {}, 'degraded', undefined],
  ['syncing', {}, 'degraded', undefined],
  ['syncing', { newest }, 'degraded', 100],
  ['disconnected', { newest }, 'degraded', 100],
  ['full', { newest }, 'degraded', 100],
  ['protected', { newest }, 'running', 500],
  ['failed', { newest }, 'failed', undefined],
  ['failing-over', { newest }, 'degraded', 1000],
  ['failed-over', { newest }, 'degraded-promoted', 10_000],
  ['committed', { newest }, 'degraded-promoted', 10_000],
  ['failed-over', { newest, isHeld: true }, 'degraded', 1000],
  ['failed-over', { newest, isHeld: true, busy: { what: 'fail-back', done: 0, all: 1 } }, 'degraded', undefined],
  ['returning', { newest, isHeld: true }, 'degraded', undefined],
  ['rolling-back', { newest }, 'degraded', undefined],
] as const)
  t.test(`a hub's group, ${state}: ${JSON.stringify(more)}`, async t => {
    const branches = ['failed-over', 'committed'].includes(state) ? [{ name: 'cluster-2002', kind: 'fail-over' }] : []
    const status = { state, branches, ...more } as unknown as GroupStatus
    t.match(hubGroupView(status), { monitor, promotion: branches.length > 0 ? 2002 : 0 })
    t.equal(hubGroupView(status).score, score)
  })

t.test('a fail-over whose branch is lost is promoted, and failed', async t => {
  const branches = [{ name: 'by-hand', kind: 'fail-over', lost: 'its files' }]
  const status = { state: 'failed-over', branches } as unknown as GroupStatus
  t.match(hubGroupView(status), { monitor: 'failed-promoted', score: undefined, promotion: 0 })
})

t.test('a hub that was taken over, and a group that cannot be opened, are not to be promoted', async t => {
  const group = { name: 'web', state: 'protected', branches: [], newest }
  const status = { groups: [group], closed: [{ name: 'db', code: 'damaged', message: 'torn' }], problem: undefined }
  const of = (problem?: string) => hubStates({ ...status, problem } as unknown as Parameters<typeof hubStates>[0])
  t.match(of().get('web'), { monitor: 'running', score: 500 })
  t.match(of().get('db'), { monitor: 'failed' })
  t.equal(of().get('db')?.score, undefined)
  t.match(of('another hub has it').get('web'), { monitor: 'failed' })
})
