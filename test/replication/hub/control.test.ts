import t from 'tap'
import { parseDisk } from 'xenlight'
import { nbdTargetOf } from '#xenlight/libxl/nbd-target.js'
import { runCommand } from '#xenlight/replication/hub/hub-control.js'
import { startArguments } from '#xenlight/replication/hub/start-arguments.js'
import { createRandom } from '../../support/random.js'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, newestOf, PlayedGuest, volumes } from './played-group.js'
import { playHub } from './played-hub.js'

const rights = {
  groups: { web: { agents: ['host-1', 'host-2'], control: ['desk'] }, mail: { agents: ['*'], control: ['*'] } },
}

async function controlled() {
  const disk = new PlayedDisk()
  const hub = await playHub(disk, { rights, nbd: { path: '/run/hub, "x".sock' } })
  const guest = new PlayedGuest(hub, createRandom(4))
  await guest.begin(hub)
  await guest.live(hub, 6)
  return { disk, hub, guest }
}

/** What a hub asks an agent; a test knows which of it there is. */
interface Asked {
  kind: string
  volume: number
  offset: number
  length: number
  data: Uint8Array
  execute: string
  arguments: unknown
}

t.test('all of a life by commands', async t => {
  const { hub, guest } = await controlled()
  const desk = hub.control({ name: 'desk' })
  const run = (execute: string, given: object) => runCommand(desk, execute, given)
  t.match(await run('status', {}), [{ name: 'web', state: 'protected' }])
  const points = (await run('points', { group: 'web', every: 1 })) as { position: number; time: number }[]
  t.equal(points.length, guest.moments.size)
  t.match(await run('points', { group: 'web' }), [], 'none has a name')
  await guest.agent.allDurable(guest.channel, guest.agent.say(guest.channel, { kind: 'point', name: 'before-upgrade' }))
  const then = copyOf(guest.images)
  await guest.live(hub, 2)
  t.match(await run('points', { group: 'web' }), [{ name: 'before-upgrade' }])
  t.match(await run('test', { group: 'web', branch: 'try', at: { name: 'before-upgrade' } }), { name: 'try' })
  t.match(await run('test', { group: 'web' }), { name: /^test-\d{8}T\d{9}Z$/ })
  t.match(await run('start', { group: 'web', branch: 'try' }), { volumes: [{ exportName: 'web/try/root' }, {}] })
  await t.rejects(run('start', { group: 'web' }), { code: 'not-failed-over' })
  t.same(await run('discard', { group: 'web', branch: 'try' }), {})
  t.match(await run('fail-over', { group: 'web', branch: 'fo', at: { name: 'before-upgrade' } }), { name: 'fo' })
  t.match(await run('start', { group: 'web' }), { volumes: [{ exportName: 'web/fo/root' }, {}] })
  t.same(await run('commit', { group: 'web', branch: 'fo' }), {})

  const asked: string[] = []
  guest.agent.answer = request => {
    const { kind, execute, volume, offset, data, arguments: given } = request as unknown as Asked
    asked.push(kind === 'command' ? execute : kind)
    if (kind === 'writeRequest') guest.images.get(volume)!.set(data, offset)
    if (execute === 'adopt') t.match(given, { group: 'web', epoch: 4, sequence: Number, replica: String })
    return execute === 'differing' ? { runs: [{ offset: 0, length: 10 }] } : {}
  }
  t.match(await run('fail-back', { group: 'web' }), { epoch: 4 })
  t.ok(asked.includes('writeRequest'))
  t.same(asked.slice(-2), ['flush', 'adopt'])
  t.equal(difference(guest.images, then), undefined)
  t.equal(difference(await newestOf(hub), then), undefined)
})

t.test('an agent whose disk differs in more places than an answer holds', async t => {
  const { hub, guest } = await controlled()
  await groupOf(hub).life.failOver({ name: 'fo', at: { newest: true }, by: 'me' })
  const truth = copyOf(guest.images)
  const runs = [0, 131_072, 262_144].map(offset => ({ offset, length: 65_536 }))
  for (const { offset, length } of runs) guest.images.get(3)!.fill(99, offset, Math.min(321 * 1024, offset + length))
  guest.agent.answer = request => {
    const { kind, execute, volume, offset, data, arguments: given } = request as unknown as Asked
    if (kind === 'writeRequest') guest.images.get(volume)!.set(data, offset)
    if (execute !== 'differing') return {}
    const { volume: number, from = 0 } = given as { volume: number; from?: number }
    if (number !== 3) return { runs: [] }
    // one at a time
    const index = runs.findIndex(run => run.offset >= from)
    return { runs: runs.slice(index, index + 1), next: runs[index + 1]?.offset }
  }
  await hub.control('owner').failBack('web')
  t.equal(difference(guest.images, truth), undefined)
})

t.test('an agent that answers what is no answer', async t => {
  for (const runs of [undefined, 5, [{}], [{ offset: 'x', length: 1 }], [null]]) {
    const { hub, guest } = await controlled()
    await groupOf(hub).life.failOver({ name: 'fo', at: { newest: true }, by: 'me' })
    guest.agent.answer = () => ({ runs })
    await t.rejects(hub.control('owner').failBack('web'), { code: 'protocol' })
    t.match(groupOf(hub).status(), { state: 'failed-over', busy: undefined })
  }
  for (const next of [0, -1, 'x']) {
    const { hub, guest } = await controlled()
    await groupOf(hub).life.failOver({ name: 'fo', at: { newest: true }, by: 'me' })
    guest.agent.answer = () => ({ runs: [], next })
    await t.rejects(hub.control('owner').failBack('web'), { code: 'protocol' }, `it would go on for ever: ${next}`)
  }
  const { hub, guest } = await controlled()
  await groupOf(hub).life.failOver({ name: 'fo', at: { newest: true }, by: 'me' })
  guest.agent.user.ended()
  await t.rejects(hub.control('owner').failBack('web'), { code: 'lost' })
})

t.test('the rights of those who ask', async t => {
  const { hub, guest } = await controlled()
  const acts = [
    'status',
    'points',
    'test',
    'fail-over',
    'commit',
    'discard',
    'fail-back',
    'end-fail-over',
    'start',
    'agent',
    'read',
    'write',
    'flush',
  ]
  const part = { volume: 'root', offset: 0, length: 1, data: 'AA==' }
  const given = { group: 'web', branch: 'x', agent: 'host-1', execute: 'pause', ...part }
  for (const name of ['host-1', 'stranger', '*', '', 'constructor', '__proto__'])
    for (const execute of acts)
      await t.rejects(
        runCommand(hub.control({ name }), execute, given),
        { code: 'not-allowed' },
        `${execute} by ${name}`,
      )
  t.same(hub.control({ name: 'stranger' }).status(), [], 'and sees nothing')
  // an agent asks over its connection
  const asked = { kind: 'command', channel: 0, request: 1, execute: 'fail-over', arguments: given } as const
  await t.rejects(guest.agent.user.request(asked), { code: 'not-allowed' })
  const desk = new PlayedAgent(hub, 'desk')
  t.match(await desk.user.request({ ...asked, execute: 'status' }), [{ name: 'web' }])
  t.match(groupOf(hub).status(), { state: 'protected', epoch: 1 })
})

t.test('commands that are none', async t => {
  const { hub } = await controlled()
  const owner = hub.control('owner')
  const cases: [execute: string, given: unknown, code: string][] = [
    ['reboot', {}, 'not-found'],
    ['constructor', {}, 'not-found'],
    ['status', [], 'wrong-state'],
    ['status', 5, 'wrong-state'],
    ['status', { group: 5 }, 'bad-name'],
    ['status', { group: '../web' }, 'bad-name'],
    ['status', { group: 'nothing' }, 'not-found'],
    ['points', {}, 'bad-name'],
    ['points', { group: 'web', every: -1 }, 'wrong-state'],
    ['points', { group: 'web', from: 'x' }, 'wrong-state'],
    ['test', { group: 'web', branch: '-blockdev' }, 'bad-name'],
    ['test', { group: 'web', at: 'yesterday' }, 'bad-name'],
    ['test', { group: 'web', at: { time: 1.5 } }, 'bad-name'],
    ['test', { group: 'web', at: { position: -1 } }, 'bad-name'],
    ['start', { group: 'web', reconnectDelay: 1e9 }, 'wrong-state'],
    ['agent', { group: 'web' }, 'wrong-state'],
    ['agent', { group: 'web', execute: 'x', arguments: [] }, 'wrong-state'],
    ['fail-back', { group: 'web', agent: 'host-9' }, 'lost'],
    ['read', { group: 'web', volume: 'root', offset: 0 }, 'wrong-state'],
    ['read', { group: 'web', volume: 'root', offset: 0, length: 0 }, 'wrong-state'],
    ['read', { group: 'web', volume: 'root', offset: 0, length: 1024 * 1024 + 1 }, 'wrong-state'],
    ['read', { group: 'web', volume: 'root', offset: 0.5, length: 1 }, 'wrong-state'],
    ['read', { group: 'web', volume: '../root', offset: 0, length: 1 }, 'bad-name'],
    ['read', { group: 'web', volume: 'root', offset: 0, length: 1, branch: 'none' }, 'not-found'],
    ['read', { group: 'web', volume: 'root', offset: 0, length: 1, branch: 5 }, 'bad-name'],
    ['write', { group: 'web', volume: 'root', offset: 0 }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 0, data: '' }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 0, data: 'AAA' }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 0, data: 'AA==AA==' }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 0, data: '%%%%' }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 0, data: [0] }, 'wrong-state'],
    ['write', { group: 'web', volume: 'root', offset: 256 * 1024, data: 'AA==' }, 'wrong-state'],
    ['flush', { group: 'nothing' }, 'not-found'],
    ['fail-back', { group: 'web', wait: 'yes' }, 'wrong-state'],
  ]
  for (const [execute, given, code] of cases)
    await t.rejects(runCommand(owner, execute, given), { code }, `${execute} ${JSON.stringify(given)}`)
})

t.test('an agent names points for ever: only so many names are known, the newest ones', async t => {
  const disk = new PlayedDisk()
  const open = (checkpoints: number) =>
    playHub(disk, { limits: { checkpoints: 50 }, groupLimits: { web: { checkpoints } } })
  const hub = await open(3)
  const guest = new PlayedGuest(hub, createRandom(4))
  await guest.begin(hub)
  const { agent, channel } = guest
  for (let at = 0; at < 9; at++) await agent.allDurable(channel, agent.say(channel, { kind: 'point', name: `n${at}` }))
  const points = (of: typeof hub) => of.control('owner').points('web')
  t.match(points(hub), [{ name: 'n6' }, { name: 'n7' }, { name: 'n8' }])
  t.equal(points(hub).length, 3)
  await t.rejects(hub.control('owner').test('web', { at: { name: 'n5' } }), { code: 'not-found' })
  t.match(groupOf(hub).status(), { state: 'protected', limits: { checkpoints: 3 } })
  await hub.close()
  const again = await open(2)
  t.match(points(again), [{ name: 'n7' }, { name: 'n8' }])
  t.equal(points(again).length, 2)
  await again.close()
})

t.test('regions of a protected volume, through its agent', async t => {
  const { hub, guest } = await controlled()
  const owner = hub.control('owner')
  guest.agent.answer = request => {
    const { kind, volume, offset, length, data, execute, arguments: given } = request as unknown as Asked
    if (kind === 'command') return { execute, given }
    const image = guest.images.get(volume)!
    if (kind === 'readRequest') return image.slice(offset, offset + length)
    image.set(data, offset)
    return {}
  }
  await owner.write('web', 'data', 1000, new Uint8Array(5000).fill(3))
  t.same(await owner.read('web', 'data', 5999, 2), new Uint8Array([3, guest.images.get(3)![6000]!]))
  await t.rejects(owner.read('web', 'nothing', 0, 1), { code: 'not-found' })
  await t.rejects(owner.read('web', 'data', -1, 5), { code: 'wrong-state' })
  await t.rejects(owner.write('web', 'data', volumes[1]!.size, new Uint8Array(1)), { code: 'wrong-state' })
  await t.rejects(hub.control({ name: 'host-1' }).read('web', 'data', 0, 1), { code: 'not-allowed' })
  t.same(await owner.command('web', 'pause'), { execute: 'pause', given: { group: 'web' } })
  t.same(
    await owner.command('web', 'x', { group: 'mail' }),
    { execute: 'x', given: { group: 'web' } },
    'no other group',
  )
})

t.test('regions of a branch, from what the hub has of it', async t => {
  const { hub, guest } = await controlled()
  const owner = hub.control('owner')
  const [from, length] = [1234, 4321]
  const held = Buffer.from(guest.images.get(3)!.subarray(from, from + length))
  const isHeld = (read: Uint8Array) => held.equals(read)
  await owner.test('web', { branch: 'look' })
  await guest.live(hub, 3)
  guest.agent.user.ended()
  t.ok(isHeld(await owner.read('web', 'data', from, length, 'look')), 'its agent is not needed')
  const read = { group: 'web', volume: 'data', offset: from, length, branch: 'look' }
  t.same(await runCommand(owner, 'read', read), { data: held.toString('base64') })
  await groupOf(hub).branches.get('look').disk('data').write(from, new Uint8Array(5).fill(77))
  held.fill(77, 0, 5)
  t.ok(isHeld(await owner.read('web', 'data', from, length, 'look')), 'and what was written to it')
  await groupOf(hub).branches.get('look').freeze('it is failed back')
  t.ok(isHeld(await owner.read('web', 'data', from, length, 'look')))
  await t.rejects(owner.read('web', 'data', from, length), { code: 'lost' })
  await t.rejects(owner.read('web', 'swap', 0, 1, 'look'), { code: 'not-found' })
  await t.rejects(owner.read('web', 'data', 321 * 1024, 513, 'look'), { code: 'wrong-state' })
  await owner.discard('web', 'look')
  await t.rejects(owner.read('web', 'data', from, length, 'look'), { code: 'not-found' })
})

t.test('nobody writes to the disks of an agent that has not the truth', async t => {
  const { hub, guest } = await controlled()
  const owner = hub.control('owner')
  const asked: string[] = []
  let copying: (() => void) | undefined
  const copied = new Promise<void>(resolve => {
    copying = resolve
  })
  let mayGoOn = () => {}
  guest.agent.answer = async request => {
    const { kind, execute, length } = request as unknown as Asked
    asked.push(kind === 'command' ? execute : kind)
    if (execute === 'differing') {
      copying!()
      await new Promise<void>(resolve => {
        mayGoOn = resolve
      })
      return { runs: [] }
    }
    return kind === 'readRequest' ? new Uint8Array(length) : {}
  }
  const write = () => owner.write('web', 'root', 0, new Uint8Array(1))
  const refused = async (code: string, message: RegExp) => {
    asked.length = 0
    await t.rejects(write(), { code, message })
    await t.rejects(owner.flush('web'), { code })
    t.same(asked, [])
    t.same(await owner.read('web', 'root', 0, 1), new Uint8Array(1), 'who reads does no harm')
  }
  await write()
  await owner.flush('web')
  t.same(asked, ['writeRequest', 'flush'])
  await owner.failOver('web', { branch: 'fo' })
  await refused('wrong-state', /is failed-over on the branch fo .*: it cannot be written to on its agent's host/)
  const returned = owner.failBack('web')
  await copied
  await refused('in-use', /fail-back .* is under way/)
  // it goes on, once for each volume
  const going = setInterval(() => mayGoOn(), 1)
  await returned
  clearInterval(going)
  asked.length = 0
  await write()
  t.same(asked, ['writeRequest'])
})

t.test('what an agent reports', async t => {
  const { hub, guest } = await controlled()
  const report = (name: string) => [{ group: name, volume: 'root', size: 5, state: 'protected', more: 7 }] as const
  guest.agent.user.message({ kind: 'report', volumes: [...report('web'), ...report('mail')] })
  t.same(groupOf(hub).status().reported, report('web'))
  new PlayedAgent(hub, 'host-2').user.message({ kind: 'report', volumes: [] })
  t.same(groupOf(hub).status().reported, report('web'), 'not of an agent that does not send it')
})

t.test('how a branch is started', async t => {
  const { hub } = await controlled()
  await groupOf(hub).life.failOver({ name: 'fo', at: { newest: true }, by: 'me' })
  const { volumes: starts, arguments: given } = hub.control('owner').start('web', 'fo')
  t.equal(given.length, 4)
  t.same(
    given.filter((_, index) => index % 2 === 0),
    ['-blockdev', '-blockdev'],
  )
  t.same(JSON.parse(given[1]!), {
    driver: 'raw',
    'node-name': 'replica-0',
    file: {
      driver: 'nbd',
      server: { type: 'unix', path: '/run/hub, "x".sock' },
      export: 'web/fo/root',
      'reconnect-delay': 10,
    },
  })
  for (const { disk, exportName, url } of starts) {
    const read = parseDisk(disk!)
    t.match(read, { vdev: /^hd[ab]$/, format: 'raw', readwrite: true, backend: 'qdisk' })
    t.same(nbdTargetOf(read), { socket: '/run/hub, "x".sock', export: exportName })
    t.match(url, /^nbd\+unix:\/\/\/web\/fo\//)
  }
  const tcp = startArguments({
    group: 'g',
    branch: 'b',
    volumes,
    address: { host: '::1', port: 10_809 },
    reconnectDelay: 0,
  })
  t.match(tcp.volumes[0], { disk: undefined, url: 'nbd://[::1]:10809/g/b/root' })
  t.match(JSON.parse(tcp.arguments[1]!), { file: { server: { type: 'inet', host: '::1', port: '10809' } } })
  for (const wrong of ['a,driver=file', '-x', '../x', 'a"b'])
    for (const where of ['group', 'branch'] as const)
      t.throws(() => startArguments({ group: 'g', branch: 'b', volumes, address: { port: 1 }, [where]: wrong }), {
        code: 'bad-name',
      })
})

t.test('exports that there are not', async t => {
  const { hub } = await controlled()
  await groupOf(hub).life.test({ name: 'try', at: { newest: true }, by: 'me' })
  t.same(hub.exportNames(), ['web/try/root', 'web/try/data'])
  t.ok(hub.findExport('web/try/root'))
  for (const name of [
    '',
    'web',
    'web/try',
    'web/try/',
    'web/try/root/',
    'web//root',
    '/web/try/root',
    'web/try/swap',
    'mail/try/root',
    'web/other/root',
  ])
    t.equal(hub.findExport(name), undefined, name)
})
