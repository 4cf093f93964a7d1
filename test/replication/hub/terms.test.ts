import t from 'tap'
import { createRandom } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, imagesOf, newestOf, PlayedGuest, volumes } from './played-group.js'
import { playHub } from './played-hub.js'

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
