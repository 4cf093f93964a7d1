import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer } from 'xenlight/replication'
import { eventually } from '../../protocol-d/eventually.js'
import { mebibyte, place } from './place.js'

t.test('what is written to a disk is at the hub, as of any moment', async t => {
  const { folder, image, agent, hub } = place(t)
  await using server = await HubServer.open(hub)
  await using one = await Agent.open(agent)
  const status = () => one.status.groups[0]!
  await eventually(
    'it is protected',
    () => status().volumes[0]?.state.state === 'protected',
    () => JSON.stringify(one.status),
  )
  await using disk = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
  await disk.write(4096, Buffer.from('first'))
  await one.group('web').point('first')
  await disk.write(4096, Buffer.from('second'))
  await disk.writeZeroes(mebibyte, mebibyte)
  await one.group('web').point('second')
  const control = server.hub.control('owner')
  for (const [name, text] of [
    ['first', 'first\0'],
    ['second', 'second'],
  ] as const) {
    const branch = await control.test('web', { at: { name }, branch: name })
    t.equal(branch.kind, 'test')
    await using view = await connectNbd({ path: join(folder, 'n') }, { export: `web/${name}/root` })
    t.equal(Buffer.from(await view.read(4096, 6)).toString(), text)
    await view.write(0, Buffer.from('of the test'))
  }
  t.equal(readFileSync(image).toString('utf8', 4096, 4102), 'second')
  t.equal(readFileSync(image)[0], 0)
  t.match(server.status.groups, [{ name: 'web', state: 'protected', agent: 'anna', branches: [{}, {}] }])
})

t.test('a fail-over and the way back: only what differs is copied, and the old primary goes on', async t => {
  const { folder, image, agent, hub } = place(t)
  await using server = await HubServer.open(hub)
  const control = server.hub.control('owner')
  const socket = join(folder, 'run/web.root.sock')
  const first = await Agent.open(agent)
  const stateOf = (one: Agent) => one.status.groups[0]!.volumes[0]!.state
  await eventually('it is protected', () => stateOf(first).state === 'protected')
  {
    await using disk = await connectNbd({ path: socket }, { export: 'web/root' })
    await disk.write(0, Buffer.from('kept'))
    await first.group('web').point('kept')
    await disk.write(0, Buffer.from('after'))
    await disk.write(2 * mebibyte, Buffer.from('undone'))
    await first.group('web').point('after')
  }
  await control.failOver('web', { at: { name: 'kept' }, branch: 'recovery' })
  await eventually('the old primary is fenced', () => stateOf(first).state === 'failed')
  t.match(stateOf(first), { why: /epoch 2/ })
  await t.rejects(connectNbd({ path: socket }, { export: 'web/root' }), 'no guest has its disks')
  await first.close()
  {
    await using disk = await connectNbd({ path: join(folder, 'n') }, { export: 'web/recovery/root' })
    t.equal(Buffer.from(await disk.read(0, 5)).toString(), 'kept\0')
    await disk.write(4 * mebibyte, Buffer.from('of the recovery'))
    await disk.flush()
  }
  await control.commit('web', 'recovery')

  await using again = await Agent.open(agent)
  await eventually('it is refused again', () => stateOf(again).state === 'failed')
  // it would not go on from there
  await again.group('web').pause()
  await t.rejects(control.failBack('web'), {
    code: 'wrong-state',
    message: /paused on its agent's host: resume it first/,
  })
  await again.group('web').resume()
  let copied = 0
  const returned = await control.failBack('web', {
    progress: (_, all) => {
      copied = Math.max(copied, all)
    },
  })
  t.ok(copied > 0 && copied <= 3 * 65_536, `${copied} bytes`)
  t.equal(returned.epoch, 4)
  await eventually(
    'it is protected again',
    () => stateOf(again).state === 'protected',
    () => JSON.stringify(again.status),
  )
  const disk = readFileSync(image)
  t.equal(disk.toString('utf8', 0, 5), 'kept\0')
  t.equal(disk[2 * mebibyte], 0, 'what was written after the point is undone')
  t.equal(disk.toString('utf8', 4 * mebibyte, 4 * mebibyte + 15), 'of the recovery')
  await using back = await connectNbd({ path: socket }, { export: 'web/root' })
  await back.write(0, Buffer.from('again'))
  await again.group('web').point('again')
  await control.test('web', { branch: 'look' })
  await using look = await connectNbd({ path: join(folder, 'n') }, { export: 'web/look/root' })
  t.ok(Buffer.from(await look.read(0, 8 * mebibyte)).equals(readFileSync(image)), 'the hub has the same')
  t.match(server.status.groups, [{ state: 'protected', epoch: 4 }])
})

t.test('what somebody wants of the protection outlives the agent, whatever the configuration says', async t => {
  const { folder, agent, hub, image } = place(t)
  await using server = await HubServer.open(hub)
  const stateOf = (one: Agent) => one.status.groups[0]!.volumes[0]!.state
  const isIn = (one: Agent, state: string) =>
    eventually(
      `it is ${state}`,
      () => stateOf(one).state === state,
      () => JSON.stringify(one.status),
    )
  const write = async (offset: number, text: string) => {
    await using disk = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
    await disk.write(offset, Buffer.from(text))
  }
  const settledAt = () => server.hub.groups[0]!.journal.last.position
  {
    await using one = await Agent.open(agent)
    await isIn(one, 'protected')
    await one.group('web').pause()
  }
  const before = settledAt()
  const pausedAt = Date.now() * 1000
  {
    await using one = await Agent.open({ ...agent, target: 1 })
    const state = stateOf(one)
    t.match(state, { state: 'paused' })
    t.ok('since' in state && state.since <= pausedAt, 'since it was asked for')
    await eventually('it is connected', () => one.status.hub.name !== undefined)
    await write(0, 'paused')
    t.equal(settledAt(), before, 'nothing is sent')
    t.match(stateOf(one), { state: 'paused', bytes: 65_536 })
    await one.group('web').resume()
    await isIn(one, 'protected')
    await one.group('web').stop()
  }
  {
    await using one = await Agent.open(agent)
    t.match(stateOf(one), { state: 'unprotected' })
    await write(mebibyte, 'unmarked')
  }
  await using one = await Agent.open(agent)
  await write(2 * mebibyte, 'so too')
  t.match(stateOf(one), { state: 'unprotected' })
  await one.group('web').start()
  await isIn(one, 'protected')
  await server.hub.control('owner').test('web', { branch: 'look' })
  await using look = await connectNbd({ path: join(folder, 'n') }, { export: 'web/look/root' })
  t.ok(Buffer.from(await look.read(0, 8 * mebibyte)).equals(readFileSync(image)), 'the hub has all of it')
})

t.test('what cannot be kept is refused, and not done', async t => {
  const { folder, agent } = place(t)
  await using one = await Agent.open(agent)
  const group = one.group('web')
  // where the draft of the record is to be
  mkdirSync(join(folder, 'agent/groups/web/group.json.new'))
  for (const verb of ['pause', 'stop'] as const)
    await t.rejects(async () => void (await group[verb]()), {
      code: 'file-failed',
      message: /record of web cannot be written/,
    })
  t.match(group.status.volumes[0]!.state, { state: 'degraded' })
  rmSync(join(folder, 'agent/groups/web/group.json.new'), { recursive: true })
  await group.stop()
  t.match(group.status.volumes[0]!.state, { state: 'unprotected' })
})

t.test('a fail-back of a disk that was written in very many places, which the hub has not got', async t => {
  const places = 1700
  const { folder, image, agent, hub } = place(t, places * 2 * 65_536)
  const first = await HubServer.open(hub)
  await using one = await Agent.open(agent)
  const stateOf = () => one.status.groups[0]!.volumes[0]!.state
  const shown = () => JSON.stringify(one.status)
  await eventually('it is protected', () => stateOf().state === 'protected', shown)
  await first.close()
  {
    await using disk = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
    const data = Buffer.alloc(512, 7)
    await Promise.all(Array.from({ length: places }, (_, count) => disk.write(count * 2 * 65_536, data)))
  }
  const { listen: _, ...alone } = hub
  const second = await HubServer.open(alone)
  await second.hub.control('owner').failOver('web', { branch: 'recovery' })
  await second.close()
  await using third = await HubServer.open(hub)
  await eventually('it is fenced', () => stateOf().state === 'failed', shown)
  await third.hub.control('owner').failBack('web')
  await eventually('it is protected again', () => stateOf().state === 'protected', shown)
  const disk = readFileSync(image)
  for (let count = 0; count < places; count++)
    if (disk[count * 2 * 65_536] !== 0) t.fail(`what was written to place ${count} is there still`)
})

t.test('a group of the configuration is there before its agent', async t => {
  const { folder, agent, hub } = place(t)
  await using server = await HubServer.open({ ...hub, groups: { web: {}, mail: { agents: ['bert'] } } })
  t.match(server.status.groups, [
    { name: 'mail', state: 'empty' },
    { name: 'web', state: 'empty' },
  ])
  await using one = await Agent.open(agent)
  const shown = () => JSON.stringify(one.status)
  await eventually('it is protected', () => one.status.groups[0]!.volumes[0]!.state.state === 'protected', shown)
  t.match(server.status.groups, [{ state: 'empty' }, { state: 'protected' }])
  t.same(server.status.closed, [], folder)
})
