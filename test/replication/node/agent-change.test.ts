import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, type AgentOptions, HubServer } from 'xenlight/replication'
import { eventually } from '../../protocol-d/eventually.js'
import { place } from './place.js'

const stateOf = (agent: Agent, group: string) =>
  agent.status.groups.find(({ name }) => name === group)?.volumes[0]?.state.state
const isProtected = (agent: Agent, group: string) =>
  eventually(
    `${group} is protected`,
    () => stateOf(agent, group) === 'protected',
    () => JSON.stringify(agent.status),
  )

/** An agent and a hub, with one group. */
function here(t: Parameters<typeof place>[0]) {
  const { folder, image, newImage, agent, hub } = place(t)
  type Group = AgentOptions['groups'][string]
  const { web } = agent.groups as { web: Group }
  const inline = (path: string): Group => ({ ...web, disks: { root: { image: path, format: 'raw' } } }) as Group
  const policy = (groups: Record<string, Group>, target = agent.target) => ({ groups, target })
  return { folder, image, newImage, agent, hub, web, inline, policy }
}

t.test('groups come and go; the client and the stream of one that stays notice nothing', async t => {
  const { folder, newImage, agent, hub, web, inline, policy } = here(t)
  await using server = await HubServer.open(hub)
  await using one = await Agent.open(agent)
  await isProtected(one, 'web')
  const atHub = (name: string) => server.status.groups.find(group => group.name === name)
  const { since } = atHub('web')!
  await using disk = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
  await disk.write(0, Buffer.from('before'))

  const mail = inline(newImage('mail.img'))
  t.strictSame(await one.change(policy({ web, mail })), { added: ['mail'], removed: [], changed: [] })
  await isProtected(one, 'mail')
  {
    await using other = await connectNbd({ path: join(folder, 'run/mail.root.sock') }, { export: 'mail/root' })
    await other.write(0, Buffer.from('a letter'))
  }
  await one.group('mail').point('letter')

  t.strictSame(await one.change(policy({ web })), { added: [], removed: ['mail'], changed: [] })
  await t.rejects(connectNbd({ path: join(folder, 'run/mail.root.sock') }, { export: 'mail/root' }), 'nobody listens')
  t.throws(() => one.group('mail'), { code: 'not-found' })
  await eventually('the hub knows', () => atHub('mail')?.state === 'disconnected')

  t.strictSame(await one.change(policy({ mail, web })), { added: ['mail'], removed: [], changed: [] })
  await isProtected(one, 'mail')
  await disk.write(0, Buffer.from('after!'))
  await one.group('web').point('after')
  t.equal(atHub('web')!.since, since, 'its stream is the same')
  t.equal(Buffer.from(await disk.read(0, 6)).toString(), 'after!')
})

t.test('a guest keeps its disks: what would take them is refused, and all that is in the way is said', async t => {
  const { folder, newImage, agent, hub, web, inline, policy } = here(t)
  await using server = await HubServer.open(hub)
  const mail = inline(newImage('mail.img'))
  await using one = await Agent.open({ ...agent, groups: { web, mail } })
  const other = inline(newImage('other.img'))
  {
    await using _ = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
    await using __ = await connectNbd({ path: join(folder, 'run/mail.root.sock') }, { export: 'mail/root' })
    await t.rejects(one.change(policy({ web: other, added: other })), {
      code: 'in-use',
      message: /^a guest has the disks of mail: .*\na guest has the disks of web: .*$/,
    })
    t.strictSame([...one.groups.keys()], ['web', 'mail'], 'nothing was changed')
  }
  await eventually('they have gone', () => one.status.groups.every(({ clients }) => clients === 0))
  t.strictSame(await one.change(policy({ web: other })), { added: [], removed: ['mail'], changed: ['web'] })
  await isProtected(one, 'web')
  t.equal(server.status.groups.length, 2, 'what the hub has stays')
})

t.test('the way of a group stays', async t => {
  const { folder, agent, web, policy } = here(t)
  await using one = await Agent.open(agent)
  const cycles = {
    ...{ way: 'cycles' as const, hubMay: web.hubMay, qmp: join(folder, 'q'), every: 1000, deadline: 3000 },
    disks: { root: { node: 'disk0' } },
  }
  await t.rejects(one.change(policy({ web: cycles })), { code: 'wrong-state', message: /the way of web cannot change/ })
  t.equal(one.status.groups[0]?.way, 'inline')
})

t.test('what cannot be opened changes nothing', async t => {
  const { folder, newImage, agent, hub, web, inline, policy } = here(t)
  await using _ = await HubServer.open(hub)
  await using one = await Agent.open(agent)
  await isProtected(one, 'web')
  const none = inline(join(folder, 'none.img'))
  const mail = inline(newImage('mail.img'))
  await t.rejects(one.change(policy({ web, mail, none }, 7000)), {
    code: 'file-failed',
    message: /^none cannot be opened: .*none\.img/,
  })
  t.strictSame([...one.groups.keys()], ['web'])
  t.equal(one.status.groups[0]?.recoveryPoint.target, 5)
  await t.rejects(one.change(policy({ web: none, mail })), { message: /^web cannot be opened: / })
  t.strictSame([...one.groups.keys()], ['web'])
  await isProtected(one, 'web')
  t.strictSame((await one.change(policy({ web, mail }))).added, ['mail'], 'a file that is right then is used')
})

t.test('rights and targets are said anew, and cost no stream', async t => {
  const { agent, hub, web, policy } = here(t)
  await using server = await HubServer.open(hub)
  await using one = await Agent.open(agent)
  await isProtected(one, 'web')
  const { since } = server.status.groups[0]!
  const control = server.hub.control('owner')
  await control.command('web', 'pause')
  await control.command('web', 'resume')
  await isProtected(one, 'web')
  const before = server.status.groups[0]!.since
  t.not(since, undefined)
  await one.change(policy({ web: { ...web, hubMay: ['read'] } }, 7000))
  t.equal(one.status.groups[0]?.recoveryPoint.target, 7)
  await t.rejects(control.command('web', 'pause'), { code: 'not-allowed' })
  t.equal((await control.read('web', 'root', 0, 512)).length, 512)
  await one.change(policy({ web: { ...web, target: 60_000 } }, 7000))
  t.equal(one.status.groups[0]?.recoveryPoint.target, 60)
  await t.rejects(control.read('web', 'root', 0, 512), { code: 'not-allowed' })
  t.equal(server.status.groups[0]!.since, before)
})

t.test("a running QEMU's group takes other times and monitors", async t => {
  const { folder, agent, web, policy } = here(t)
  const cycles = (every: number, qmp = join(folder, 'q')) => ({
    ...{ way: 'cycles' as const, hubMay: web.hubMay, qmp, every, deadline: 3000 },
    disks: { root: { node: 'disk0' } },
  })
  await using one = await Agent.open({ ...agent, groups: { web: cycles(1000) } })
  const status = () => one.status.groups[0]!
  t.equal(status().recoveryPoint.target, 4)
  t.strictSame((await one.change(policy({ web: cycles(5000) }))).changed, ['web'])
  t.equal(status().recoveryPoint.target, 8)
  await one.change(policy({ web: { ...cycles(5000), target: 1000 } }))
  t.equal(status().recoveryPoint.target, 1)
  await one.change(policy({ web: cycles(5000, join(folder, 'other')) }))
  t.equal(status().recoveryPoint.target, 8, 'what is not said is the usual one again')
})
