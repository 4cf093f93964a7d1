import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer, type HubServerPolicy } from 'xenlight/replication'
import { eventually } from '../../protocol-d/eventually.js'
import { mebibyte, place } from './place.js'

/** A hub's policy that says of its groups what is given. */
const policyOf = (hub: HubServerPolicy, groups: HubServerPolicy['groups'], change: Partial<HubServerPolicy> = {}) => ({
  journal: hub.journal,
  limits: hub.limits,
  groups,
  ...change,
})

t.test('rights that are taken and given: the stream of who has none ends, and of who has some goes on', async t => {
  const { newImage, agent, agentOf, hub } = place(t)
  await using server = await HubServer.open({
    ...hub,
    groups: { web: { agents: ['anna'] }, mail: { agents: ['anna'] } },
  })
  const { web: mail } = agentOf({ root: newImage('mail.img') }).groups
  const { web } = agent.groups
  await using one = await Agent.open({ ...agent, groups: { web: web!, mail: mail! } })
  const stateOf = (group: string) =>
    one.status.groups.find(({ name }) => name === group)?.volumes[0]?.state as { state: string; code?: string }
  const atHub = (group: string) => server.status.groups.find(({ name }) => name === group)!
  for (const group of ['web', 'mail'])
    await eventually(`${group} is protected`, () => stateOf(group).state === 'protected')
  const { since } = atHub('web')

  await server.change(policyOf(hub, { web: { agents: ['anna', 'berta'] }, mail: { agents: ['berta'] } }))
  await eventually('it is told', () => stateOf('mail').state === 'failed')
  t.match(stateOf('mail'), { code: 'not-allowed', why: /may not send the group mail/ })
  t.equal(atHub('mail').state, 'disconnected')
  t.match(atHub('web'), { state: 'protected', since })

  await server.change(policyOf(hub, { web: { agents: ['anna'] }, mail: { agents: ['*'] } }))
  await eventually('it goes on by itself', () => stateOf('mail').state === 'protected')
  t.match(atHub('web'), { state: 'protected', since })

  await server.change(policyOf(hub, { web: { agents: ['anna'] } }))
  await eventually('a group that is left out takes nothing', () => stateOf('mail').state === 'failed')
  t.equal(atHub('mail').state, 'disconnected', 'what it has stays')
  await server.change(policyOf(hub, undefined))
  await eventually('without a list any may come', () => stateOf('mail').state === 'protected')
})

t.test('groups of the configuration are there, and who may control them', async t => {
  const { hub } = place(t)
  await using server = await HubServer.open({ ...hub, groups: {} })
  const standby = server.hub.control({ name: 'standby' })
  t.throws(() => standby.status('web'), { code: 'not-allowed' })
  t.strictSame(await server.change(policyOf(hub, { web: { control: ['standby'] } })), [])
  t.match(standby.status('web'), [{ name: 'web', state: 'empty' }])
  await server.change(policyOf(hub, { web: {} }))
  t.throws(() => standby.status('web'), { code: 'not-allowed' })
  const few = { ...hub.limits, groups: 1 }
  const [problem, ...others] = await server.change(policyOf(hub, { web: {}, mail: {} }, { limits: few }))
  t.match(problem, { code: 'full' })
  t.strictSame(others, [])
  t.match(server.status.closed, [{ name: 'mail', code: 'full' }])
  t.strictSame(await server.change(policyOf(hub, { web: {}, mail: {} })), [])
  t.strictSame(server.status.closed, [])
})

t.test('limits hold at once, also for branches that are there, and after another start', async t => {
  const { folder, agent, hub } = place(t)
  const small = policyOf(hub, undefined, { limits: { ...hub.limits, overlay: 64 * 1024, branches: 1 } })
  {
    await using server = await HubServer.open({ ...hub, ...small })
    await using one = await Agent.open(agent)
    await eventually('it is protected', () => one.status.groups[0]!.volumes[0]!.state.state === 'protected')
    const control = server.hub.control('owner')
    await control.test('web', { branch: 'look' })
    await using disk = await connectNbd({ path: join(folder, 'n') }, { export: 'web/look/root' })
    const data = Buffer.alloc(mebibyte, 7)
    await t.rejects(disk.write(0, data), { code: 'ENOSPC' })
    await t.rejects(control.test('web', { branch: 'more' }), { code: 'full' })
    const groups = { web: { size: 50 * mebibyte, history: 3_600_000, checkpoints: 7 } }
    t.strictSame(await server.change(policyOf(hub, groups)), [])
    await disk.write(0, data)
    await control.test('web', { branch: 'more' })
    t.match(server.status.groups[0]?.limits, {
      ...{ journalBytes: 50 * mebibyte, history: 3_600_000_000, branches: 4, checkpoints: 7 },
    })
    await t.rejects(server.hub.change({ limits: { branches: -1 } }), { code: 'wrong-state' })
    t.equal(server.status.groups[0]?.limits.branches, 4)
  }
  await using again = await HubServer.open({ ...hub, groups: { web: { checkpoints: 9 } } })
  t.match(again.status.groups[0]?.limits, { journalBytes: hub.journal.size, checkpoints: 9 })
})
