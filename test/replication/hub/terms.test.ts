import t from 'tap'
import { ReplicationError } from 'xenlight/replication'
import { createRandom } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, imagesOf, newestOf, PlayedGuest, volumes } from './played-group.js'
import { playHub, until } from './played-hub.js'

async function begun() {
  const disk = new PlayedDisk(new MemoryDisk())
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, createRandom(9))
  await guest.begin(hub)
  await guest.live(hub, 6)
  await groupOf(hub).life.test({ name: 'try', at: { newest: true }, by: 'me' })
  await hub.findExport('web/try/root')!.backend.write(512, new Uint8Array(512).fill(200))
  await hub.findExport('web/try/root')!.backend.flush()
  const tried = copyOf(guest.images)
  tried.get(0)!.fill(200, 512, 1024)
  return { disk, hub, guest, tried }
}

t.test('a second hub does not get a group, unless it takes it over', async t => {
  const { disk, hub, guest, tried } = await begun()
  const second = await playHub(disk, { name: 'hub-b' })
  t.same(second.groups, [])
  t.match(second.closedGroups, [{ name: 'web', problem: { code: 'owned', message: /hub-a/ } }])
  t.match(await new PlayedAgent(second, 'host-1').attach('web', { volumes }), { kind: 'refused', code: 'owned' })
  t.throws(() => second.control('owner').status('web'), { code: 'owned' })

  const third = await playHub(disk, { name: 'hub-c', takeOver: true })
  t.match(groupOf(third).status(), { state: 'disconnected', term: 2, epoch: 1, agent: 'host-1' })
  t.equal(difference(await newestOf(third), guest.images), undefined)
  t.equal(difference(await imagesOf(groupOf(third).branches.get('try')), tried), undefined)
  const then = copyOf(guest.images)

  // what the former one writes now counts for nobody
  guest.write()
  await hub.look()
  t.match(guest.agent.stopped(guest.channel), { code: 'owned', message: /hub-c/ })
  t.match(await guest.agent.attach('web', { volumes }), { kind: 'refused', code: 'owned' })
  await t.rejects(groupOf(hub).life.failOver({ name: 'x', at: { newest: true }, by: 'me' }), { code: 'owned' })
  await groupOf(hub).branches.get('try').overlay(0).write(0, new Uint8Array(4096).fill(1))
  t.equal(difference(await newestOf(third), then), undefined)
  t.equal(difference(await imagesOf(groupOf(third).branches.get('try')), tried), undefined)

  const next = new PlayedGuest(third, createRandom(2), 'host-1', then)
  await next.begin(third)
  await next.live(third, 3)
  await third.close()
  const again = await playHub(disk, { name: 'hub-c' })
  t.equal(difference(await newestOf(again), next.images), undefined)
  t.match(groupOf(again).status(), { term: 2 })
})

t.test('claims under a lease have its epochs, and one that comes late is none', async t => {
  const { disk, hub, guest, tried } = await begun()
  const leaseOf = (epoch: number) => {
    const lease = { epoch, isHeld: true }
    const check = () => {
      if (!lease.isHeld) throw new ReplicationError('owned', `the lease of epoch ${epoch} is lost`)
    }
    return Object.assign(lease, { check })
  }
  const five = leaseOf(5)
  const second = await playHub(disk, { name: 'hub-b.5', takeOver: true, lease: five })
  t.match(groupOf(second).status(), { term: 5 })
  const seven = leaseOf(7)
  const third = await playHub(disk, { name: 'hub-c.7', takeOver: true, lease: seven })
  t.match(groupOf(third).status(), { term: 7 })
  t.equal(difference(await newestOf(third), guest.images), undefined)
  t.equal(difference(await imagesOf(groupOf(third).branches.get('try')), tried), undefined)
  t.strictSame([...disk.folder.folder('groups').folder('web').folders()].sort(), ['5', '7'], 'the former one stays')

  // a holder before that one, which was stopped before it had claimed the group
  const late = await playHub(disk, { name: 'hub-d.6', takeOver: true, lease: leaseOf(6) })
  t.match(late.closedGroups, [{ name: 'web', problem: { code: 'owned', message: /hub-c\.7/ } }])
  t.match(groupOf(third).status(), { term: 7, problem: undefined })

  const { backend } = third.findExport('web/try/root')!
  await backend.write(0, new Uint8Array(512).fill(3))
  const next = new PlayedGuest(third, createRandom(2), 'host-1', copyOf(guest.images))
  await next.begin(third)
  const acknowledged = next.agent.durable(next.channel)
  seven.isHeld = false
  next.write()
  await until('it is stopped', () => next.agent.stopped(next.channel) !== undefined)
  t.match(next.agent.stopped(next.channel), { code: 'owned', message: /epoch 7 is lost/ })
  t.equal(next.agent.durable(next.channel), acknowledged)
  for (const ask of [
    () => backend.read(0, 512),
    () => backend.write(0, new Uint8Array(512)),
    () => backend.writeZeroes(0, 512),
    () => backend.flush(),
  ])
    await t.rejects(async () => await ask(), { code: 'ESHUTDOWN', message: /epoch 7 is lost/ })
  t.throws(() => third.control('owner').status('web'), { code: 'owned' })
  t.match(await next.agent.attach('web', { volumes }), { kind: 'refused', code: 'owned' })
  await hub.close()
})

t.test('what comes to a hub that was taken over from is not acknowledged', async t => {
  const { disk, hub, guest } = await begun()
  const acknowledged = guest.agent.durable(guest.channel)
  const second = await playHub(disk, { name: 'hub-b', takeOver: true })
  const then = copyOf(guest.images)
  guest.write()
  // no look comes between
  await until('it is stopped', () => guest.agent.stopped(guest.channel) !== undefined)
  t.match(guest.agent.stopped(guest.channel), { code: 'owned', message: /hub-b/ })
  t.equal(guest.agent.durable(guest.channel), acknowledged)
  const { backend } = hub.findExport('web/try/root')!
  await backend.write(0, new Uint8Array(4096).fill(1))
  await t.rejects(Promise.resolve(backend.flush()), /hub-b/, 'nor is a flush of a recovery VM')
  t.equal(difference(await newestOf(second), then), undefined)
})

t.test('a branch that is written to while it is copied', async t => {
  const memory = new MemoryDisk()
  const disk = new PlayedDisk(memory)
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, createRandom(9))
  for (const bytes of guest.images.values()) bytes.fill(17)
  await guest.begin(hub)
  await groupOf(hub).life.test({ name: 'try', at: { newest: true }, by: 'me' })
  const { backend } = hub.findExport('web/try/root')!
  await backend.write(0, new Uint8Array(4096).fill(200))
  await backend.flush()
  const tried = copyOf(guest.images)
  tried.get(0)!.fill(200, 0, 4096)
  const { before } = memory
  let flushed: Promise<unknown> | undefined
  memory.before = (operation, name) => {
    before(operation, name)
    // the copy of what was written has just been begun
    if (operation !== 'write' || name !== '0.overlay' || flushed !== undefined) return
    flushed = Promise.resolve()
    void backend.write(65_536, new Uint8Array(4096).fill(201))
    flushed = Promise.resolve(backend.flush()).catch(() => {})
  }
  const second = await playHub(disk, { name: 'hub-b', takeOver: true })
  await flushed
  const found = await imagesOf(groupOf(second).branches.get('try'))
  t.equal(difference(found, tried), undefined, 'it is as it was when its guest was last told that all is durable')
})

t.test('a disk that was full while a group was claimed', async t => {
  let failAt = 1
  for (; failAt < 100; failAt++) {
    const disk = new PlayedDisk()
    const hub = await playHub(disk)
    const agent = new PlayedAgent(hub, 'host-1')
    disk.failAt = disk.operations + failAt
    const first = await agent.attach('web', { volumes })
    if (disk.operations < disk.failAt) break
    if (first.kind === 'refused') t.match(first, { code: 'full' }, `full at ${failAt}`)
    await hub.look()
    t.match(await agent.attach('web', { volumes }), { kind: 'attached' }, `full at ${failAt}`)
  }
  t.ok(failAt > 5, `${failAt} changes`)
})

t.test('a disk that is full when a hub is to make its groups', async t => {
  const disk = new PlayedDisk()
  await (await playHub(disk)).close()
  disk.failAt = disk.operations + 2
  const hub = await playHub(disk, { wanted: ['web', 'mail'] })
  t.match(hub.closedGroups, [{ name: 'web', problem: { code: 'full' } }])
  t.match(hub.groups, [{ name: 'mail' }])
  t.match(await new PlayedAgent(hub, 'host-1').attach('web', { volumes }), { kind: 'attached' }, 'it has room again')
  t.same(hub.closedGroups, [])
  t.equal(hub.groups.length, 2)
})

t.test('a hub that has some of the groups takes those of others', async t => {
  const { disk, hub, guest } = await begun()
  const other = new PlayedGuest(hub, createRandom(3), 'host-2')
  await other.begin(hub, 'mail')
  await hub.close()
  const again = await playHub(disk, { name: 'hub-b', takeOver: 'others' })
  t.same(again.closedGroups, [])
  t.equal(difference(await newestOf(again), guest.images), undefined)
  t.equal(difference(await newestOf(again, 'mail'), other.images), undefined)
  t.same(
    again.groups.map(group => group.status().term),
    [2, 2],
  )
  await again.close()
  const third = await playHub(disk, { name: 'hub-b', takeOver: 'others' })
  t.same(
    third.groups.map(group => group.status().term),
    [2, 2],
    'what is its own is not copied anew',
  )
})

t.test('one of the same name that takes over has a folder of its own', async t => {
  const { disk, hub, guest } = await begun()
  const second = await playHub(disk, { takeOver: true })
  t.match(groupOf(second).status(), { term: 2 })
  const then = copyOf(guest.images)
  guest.write()
  await new Promise(resolve => setImmediate(resolve))
  await hub.close()
  t.equal(difference(await newestOf(second), then), undefined)
})

t.test('a crash at any change while it is taken over', async t => {
  let crashAt = 1
  for (; crashAt < 1000; crashAt++) {
    const random = createRandom(crashAt)
    const { disk, guest, tried } = await begun()
    disk.crashAt = disk.operations + crashAt
    const crashed = await playHub(disk, { name: 'hub-b', takeOver: true }).then(
      one => one.closedGroups.length > 0,
      () => true,
    )
    if (!disk.isCrashed) {
      t.notOk(crashed)
      break
    }
    const left = random.chance(0.5) ? disk.afterKill() : disk.afterPowerCut(random)
    const again = await playHub(left, { name: 'hub-b', takeOver: random.chance(0.5) })
    // where not even the claim is there, the former hub has it
    if (again.groups.length === 0) {
      t.match(again.closedGroups, [{ problem: { code: 'owned', message: /hub-a/ } }])
      continue
    }
    const wrong =
      difference(await newestOf(again), guest.images) ??
      difference(await imagesOf(groupOf(again).branches.get('try')), tried)
    if (wrong !== undefined) t.fail(`crash at ${crashAt}: ${wrong}`)
  }
  t.ok(crashAt > 20, `${crashAt} crashes`)
})

t.test('a group whose record is damaged is listed, and harms no other', async t => {
  const { disk, hub } = await begun()
  const guest = new PlayedGuest(hub, createRandom(1), 'host-2')
  await guest.begin(hub, 'mail')
  await hub.close()
  const own = disk.folder.folder('groups').folder('web').folder('1')
  for (const text of ['', '{}', 'null', '{"format":1', '{"format":2}']) {
    own.remove('group.json')
    const file = own.open('group.json', 'create')
    file.write(0, Buffer.from(text))
    const again = await playHub(disk)
    t.match(again.closedGroups, [{ name: 'web', problem: { code: 'damaged', message: /group\.json/ } }], text)
    t.equal(again.groups.length, 1)
    const agent = new PlayedAgent(again, 'host-1')
    t.match(await agent.attach('web', { volumes }), { kind: 'refused', code: 'damaged' })
    await again.close()
  }
})
