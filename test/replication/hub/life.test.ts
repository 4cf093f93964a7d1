import t from 'tap'
import { ReplicationError } from 'xenlight/replication'
import type { Hub } from '#xenlight/replication/hub/hub.js'
import { createRandom } from '../../support/random.js'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, imagesOf, newestOf, PlayedGuest, someWrite, volumes } from './played-group.js'
import { PlayedHost, playHub, until } from './played-hub.js'
import { PlayedPrimary } from './played-primary.js'

const newest = { newest: true } as const

/** A protected group with some history, at whose end its guest's disks are `guest.images`. */
async function protectedHub(options: Parameters<typeof playHub>[1] = {}) {
  const random = createRandom(7)
  const disk = new PlayedDisk()
  const hub = await playHub(disk, options)
  const guest = new PlayedGuest(hub, random)
  await guest.begin(hub)
  await guest.live(hub, 10)
  return { random, disk, hub, guest, group: groupOf(hub) }
}

/** What a recovery VM writes; the model gets it too. */
async function writeTo(hub: Hub, branch: string, images: Map<number, Uint8Array>, count = 10): Promise<void> {
  const random = createRandom(count)
  for (let done = 0; done < count; done++) {
    const { volume, offset, data } = someWrite(random)
    const { name } = volumes.find(({ number }) => number === volume)!
    const backend = hub.findExport(`web/${branch}/${name}`)!.backend
    await backend.write(offset, data)
    await backend.flush()
    images.get(volume)!.set(data, offset)
  }
}

t.test('a test leaves the protection running', async t => {
  const { hub, guest, group } = await protectedHub()
  const [position, then] = [...guest.moments][3]!
  const record = await group.life.test({ name: 'try', at: { position }, by: 'me' })
  t.match(record, { name: 'try', kind: 'test', state: 'ready', position, by: 'me' })
  await guest.live(hub, 3)
  const images = copyOf(then)
  await writeTo(hub, 'try', images)
  t.equal(difference(await imagesOf(group.branches.get('try')), images), undefined)
  t.match(group.status(), {
    state: 'protected',
    epoch: 1,
    branches: [{ name: 'try', exports: ['web/try/root', 'web/try/data'] }],
  })
  t.ok(group.status().branches[0]!.written > 0)
  await group.life.discard('try', 'me')
  t.match(group.status(), { state: 'protected', branches: [], used: { overlayBytes: 0 } })
  t.equal(hub.findExport('web/try/root'), undefined)
  await guest.live(hub, 1)
  t.equal(difference(await newestOf(hub), guest.images), undefined)
})

t.test('a fail-over fences the primary side, and can be rolled back', async t => {
  const { hub, guest, group } = await protectedHub()
  await group.life.failOver({ name: 'fo', at: newest, by: 'operator' })
  t.match(guest.agent.stopped(guest.channel), { code: 'fenced', message: /operator/ })
  t.match(group.status(), { state: 'failed-over', epoch: 2, isAttached: false })
  t.equal(difference(await imagesOf(group.branches.get('fo')), guest.images), undefined)
  for (const epoch of [0, 1, 2])
    t.match(
      await guest.agent.attach('web', { volumes, epoch }),
      { kind: 'refused', code: 'fenced', message: /operator failed over at 20\d\d-/ },
      `epoch ${epoch}`,
    )
  await t.rejects(group.life.failOver({ name: 'fo2', at: newest, by: 'me' }), { code: 'wrong-state' })
  await writeTo(hub, 'fo', copyOf(guest.images))
  await group.life.discard('fo', 'operator')
  t.match(group.status(), { state: 'disconnected', epoch: 3, branches: [] })
  t.match(guest.agent.got.at(-1), { kind: 'ready', group: 'web' })
  const other = new PlayedAgent(hub, 'host-2')
  t.match(await other.attach('web', { volumes, stream: 'x' }), { kind: 'refused', code: 'fenced' }, 'another agent')
  for (const epoch of [0, 1, 2, 3])
    t.match(await guest.agent.attach('web', { volumes, epoch }), { kind: 'attached', epoch: 3 }, `epoch ${epoch}`)
  t.match(await guest.agent.attach('web', { volumes, epoch: 4 }), { kind: 'refused', code: 'wrong-state' })
  t.equal(difference(await newestOf(hub), guest.images), undefined)
})

t.test('a fail-over to an earlier moment', async t => {
  const { guest, group } = await protectedHub()
  const moments = [...guest.moments]
  const [position, then] = moments[4]!
  const { time } = [...group.journal.points({ every: 1 })].find(point => point.position === position)!
  await group.life.failOver({ name: 'fo', at: { time: time + 10 }, by: 'me' })
  t.equal(difference(await imagesOf(group.branches.get('fo')), then), undefined)
  t.match(group.branches.record('fo'), { position, pointTime: time })
})

t.test('a moment has its own time, also where the clock went back after it', async t => {
  const { hub, guest, group } = await protectedHub()
  await guest.live(hub, 1)
  const [position] = [...guest.moments.keys()].slice(-1)
  const { time } = guest.agent
  guest.agent.time -= 5_000_000
  await guest.live(hub, 2)
  t.match(await group.life.test({ name: 'late', at: { position: position! }, by: 'me' }), { pointTime: time })
  t.match(await group.life.test({ name: 'then', at: { time: time - 4_999_000 }, by: 'me' }), {
    position: position! + 1,
  })
})

t.test('a commit makes the branch the truth, until it is failed back', async t => {
  for (const kind of ['fail-over', 'test'] as const) {
    await t.test(kind, async t => {
      const { disk, hub, guest, group } = await protectedHub()
      const [position, then] = [...guest.moments][6]!
      const wanted = { name: 'new', at: { position }, by: 'operator' }
      if (kind === 'test') await group.life.test(wanted)
      else await group.life.failOver(wanted)
      const images = copyOf(then)
      await writeTo(hub, 'new', images)
      if (kind === 'test') await guest.live(hub, 2)
      await group.life.commit('new', 'operator')
      t.match(group.status(), { state: 'committed' })
      t.match(guest.agent.stopped(guest.channel), { code: 'fenced' })
      t.match(await guest.agent.attach('web', { volumes, epoch: 1 }), { kind: 'refused', code: 'fenced' })
      await t.rejects(group.life.discard('new', 'operator'), { code: 'wrong-state' })

      // what it has that nobody knows but its own bitmap
      const primary = new PlayedPrimary(guest.images)
      primary.images.get(0)!.fill(99, 4096, 70_000)
      primary.differs.set(0, [{ offset: 4096, length: 70_000 - 4096 }])
      let duringCopy = 0
      primary.onWrite = () => {
        if (duringCopy++ === 0) {
          hub.findExport('web/new/data')!.backend.write(0, new Uint8Array(512).fill(77))
          images.get(3)!.fill(77, 0, 512)
        }
      }
      const done: number[] = []
      const returned = await group.life.failBack(primary, {
        by: 'operator',
        progress: some => done.push(some),
        caughtUp: async () => {
          t.equal(primary.flushes, 0)
          await hub.findExport('web/new/data')!.backend.write(512, new Uint8Array(512).fill(78))
          images.get(3)!.fill(78, 512, 1024)
        },
      })
      t.equal(difference(primary.images, images), undefined, 'the primary side has the branch')
      t.equal(primary.flushes, 1)
      t.ok(done.length > 1)
      t.equal(difference(await newestOf(hub), images), undefined, 'and so has the group')
      const epoch = kind === 'test' ? 3 : 4
      t.match(returned, { epoch, replica: group.record.replica })
      t.match(group.status(), { state: 'disconnected', epoch, branches: [], used: { overlayBytes: 0 } })

      const again = await playHub(disk.afterKill())
      const stale = new PlayedAgent(again, 'host-2')
      t.match(await stale.attach('web', { volumes, epoch: 1 }), { kind: 'refused', code: 'fenced' })
      t.match(await stale.attach('web', { volumes, epoch: 0 }), { kind: 'refused', code: 'fenced' })
      const back = new PlayedGuest(again, createRandom(1), 'host-1', copyOf(images))
      const answer = await back.agent.attached('web', {
        volumes,
        epoch: 1,
        stream: 'stream-back',
        previous: { replica: returned.replica, stream: returned.stream, sequence: returned.sequence },
      })
      t.match(answer, { epoch, holds: true })
      back.channel = answer.channel
      await back.live(again, 3)
      t.equal(difference(await newestOf(again), back.images), undefined)
      for (const [at, was] of guest.moments)
        if (at <= position) {
          const view = await groupOf(again).journal.view(at)
          for (const [number, bytes] of was)
            if (Buffer.compare(bytes, await view.read(number, 0, bytes.length)) !== 0) t.fail(`${at}`)
          view.close()
        } else await t.rejects(groupOf(again).journal.view(at), { code: 'no-such-point' })
    })
  }
})

t.test('only what differs is copied back', async t => {
  const { hub, guest, group } = await protectedHub()
  await group.life.failOver({ name: 'fo', at: newest, by: 'me' })
  const images = copyOf(guest.images)
  await hub.findExport('web/fo/root')!.backend.write(65_536 + 10, new Uint8Array(100).fill(5))
  images.get(0)!.fill(5, 65_546, 65_646)
  const primary = new PlayedPrimary(guest.images)
  await group.life.failBack(primary, { by: 'me' })
  t.equal(primary.written, 65_536, 'one granule')
  t.equal(difference(primary.images, images), undefined)
})

t.test('what came after the point of a branch is copied back too', async t => {
  const { guest, group } = await protectedHub()
  const [position, then] = [...guest.moments][5]!
  await group.life.failOver({ name: 'fo', at: { position }, by: 'me' })
  const primary = new PlayedPrimary(guest.images)
  t.not(difference(primary.images, then), undefined)
  await group.life.failBack(primary, { by: 'me' })
  t.equal(difference(primary.images, then), undefined)
})

t.test('a fail-back that fails leaves the branch as it was', async t => {
  const { hub, guest, group } = await protectedHub()
  await group.life.failOver({ name: 'fo', at: newest, by: 'me' })
  const images = copyOf(guest.images)
  await writeTo(hub, 'fo', images)
  const primary = new PlayedPrimary(guest.images)
  primary.onWrite = () => {
    throw new Error('the primary side is gone')
  }
  await t.rejects(group.life.failBack(primary, { by: 'me' }), { message: 'the primary side is gone' })
  t.match(group.status(), { state: 'failed-over', busy: undefined })
  await writeTo(hub, 'fo', images, 3)
  primary.onWrite = () => {}
  const failing = Object.assign(new PlayedPrimary(guest.images), { flush: () => Promise.reject(new Error('no flush')) })
  await t.rejects(group.life.failBack(failing, { by: 'me' }), { message: 'no flush' })
  await writeTo(hub, 'fo', images, 4)
  const aborted = AbortSignal.abort()
  await t.rejects(group.life.failBack(primary, { by: 'me', signal: aborted }), { code: 'lost' })
  // one at a time
  let first: Promise<unknown> | undefined
  primary.onWrite = () => {
    first ??= t.rejects(group.life.failBack(primary, { by: 'me' }), { code: 'in-use' })
  }
  await group.life.failBack(primary, { by: 'me' })
  await first
  t.equal(difference(primary.images, images), undefined)
})

/** A group that is failed over, with a guest that has the branch's disks. */
async function failedOver() {
  const host = new PlayedHost()
  const parts = await protectedHub({ host })
  const { hub, guest, group } = parts
  await group.life.failOver({ name: 'fo', at: newest, by: 'me' })
  const images = copyOf(guest.images)
  await writeTo(hub, 'fo', images)
  host.clients = 2
  return { ...parts, host, images, primary: new PlayedPrimary(guest.images) }
}

t.test('a fail-back that waits for the recovery guest copies what that goes on to write', async t => {
  const { host, hub, group, images, primary } = await failedOver()
  const done = group.life.failBack(primary, { by: 'me', awaitsGuest: true })
  await until('it waits', () => group.status().busy?.waits !== undefined)
  t.match(group.status().busy, { what: 'fail-back', waits: { clients: 2 } })
  await writeTo(hub, 'fo', images, 4)
  await until('all of it is copied', () => difference(primary.images, images) === undefined)
  await until('nothing is left', () => group.status().busy?.waits?.left === 0)
  t.equal(group.status().state, 'failed-over')
  t.equal(primary.flushes, 0, 'it is not over')
  host.clients = 0
  t.match(await done, { epoch: 3 })
  t.match(group.status(), { state: 'disconnected', branches: [], busy: undefined })
  t.equal(difference(primary.images, images), undefined)
})

t.test('who does not want to wait ends the waiting of another one', async t => {
  const { group, primary, images } = await failedOver()
  const waiting = group.life.failBack(primary, { by: 'me', awaitsGuest: true })
  await until('it waits', () => group.status().busy?.waits !== undefined)
  await t.rejects(group.life.failBack(primary, { by: 'me', awaitsGuest: true }), { code: 'in-use' })
  await t.rejects(group.life.failBack(new PlayedPrimary(images, 'host-2'), { by: 'me' }), { code: 'in-use' })
  t.strictSame(await group.life.failBack(primary, { by: 'me' }), await waiting)
  t.equal(difference(primary.images, images), undefined)
})

t.test(
  'a fail-back that is called off while it waits can be begun again; there is no way back to the old disks',
  async t => {
    const { disk, hub, group, primary, images } = await failedOver()
    const call = new AbortController()
    const { signal } = call
    const done = group.life.failBack(primary, { by: 'me', awaitsGuest: true, signal })
    await until('it waits', () => group.status().busy?.waits !== undefined)
    call.abort()
    await t.rejects(done, { code: 'lost', message: /called off/ })
    t.match(group.status(), { state: 'failed-over', busy: undefined })
    await writeTo(hub, 'fo', images, 3)
    const refused = { code: 'wrong-state', message: /disks of host-1 are no moment/ }
    await t.rejects(group.life.discard('fo', 'me'), refused)
    const again = await playHub(disk.afterKill())
    const { life } = groupOf(again)
    await t.rejects(life.discard('fo', 'me'), refused, 'nor after a crash')
    await life.failBack(primary, { by: 'me', awaitsGuest: true })
    t.equal(difference(primary.images, images), undefined)
  },
)

t.test('a fail-back that the agent refuses to begin leaves the way back open', async t => {
  const { group, guest } = await failedOver()
  const refusing = new PlayedPrimary(guest.images)
  refusing.differing = async () => {
    throw new ReplicationError('in-use', 'a guest has the disks')
  }
  await t.rejects(group.life.failBack(refusing, { by: 'me' }), { code: 'in-use' })
  await group.life.discard('fo', 'me')
  t.match(group.status(), { state: 'disconnected', branches: [] })
})

t.test('a fail-over is not rolled back to disks that a fail-back has begun to write', async t => {
  const { hub, guest, group, disk } = await protectedHub()
  await group.life.failOver({ name: 'fo', at: newest, by: 'me' })
  const images = copyOf(guest.images)
  await writeTo(hub, 'fo', images)
  const primary = new PlayedPrimary(guest.images)
  let isGone = true
  let count = 0
  primary.onWrite = () => {
    if (isGone && count++ > 0) throw new Error('the primary side is gone')
  }
  await t.rejects(group.life.failBack(primary, { by: 'me' }), { message: 'the primary side is gone' })
  const refused = { code: 'wrong-state', message: /the disks of host-1/ }
  await t.rejects(group.life.discard('fo', 'me'), refused)
  const again = await playHub(disk.afterKill())
  const other = groupOf(again)
  await t.rejects(other.life.discard('fo', 'me'), refused, 'also after the hub was killed')
  t.match(other.status(), { state: 'failed-over' })
  isGone = false
  await other.life.failBack(primary, { by: 'me' })
  t.equal(difference(primary.images, await newestOf(again)), undefined)
})

t.test('what cannot be', async t => {
  const { disk, hub, guest, group } = await protectedHub({ limits: { branches: 2, overlayBytes: 8192 } })
  const { life } = group
  const first = [...guest.moments.keys()][0]!
  for (const [what, at, code] of [
    ['a position that is not settled', { position: first - 1 }, 'no-such-point'],
    ['one that has not come yet', { position: 10_000 }, 'no-such-point'],
    ['a time before all', { time: 5 }, 'no-such-point'],
    ['a checkpoint that is not there', { name: 'nothing' }, 'not-found'],
  ] as const) {
    await t.rejects(life.test({ name: 'x', at, by: 'me' }), { code }, what)
    await t.rejects(life.failOver({ name: 'x', at, by: 'me' }), { code }, what)
  }
  for (const name of ['', '../x', 'a/b', '-x', 'a b', 'ä'])
    await t.rejects(life.failOver({ name, at: newest, by: 'me' }), { code: 'bad-name' }, name)
  t.match(group.status(), { epoch: 1, state: 'protected' }, 'nothing is changed by what is refused')
  t.throws(() => hub.start('web', undefined), { code: 'not-failed-over' })
  for (const act of [life.commit('x', 'me'), life.discard('x', 'me')]) await t.rejects(act, { code: 'not-found' })
  await t.rejects(life.endFailOver('host-1', { by: 'me' }), { code: 'wrong-state' })
  await life.test({ name: 'x', at: newest, by: 'me' })
  await t.rejects(life.test({ name: 'x', at: newest, by: 'me' }), { code: 'in-use' })
  await life.test({ name: 'y', at: newest, by: 'me' })
  await t.rejects(life.test({ name: 'z', at: newest, by: 'me' }), { code: 'full' })
  const backend = (branch: string) => hub.findExport(`web/${branch}/root`)!.backend
  await backend('x').write(0, new Uint8Array(8192))
  t.throws(() => backend('x').write(8192, new Uint8Array(4096)), { code: 'ENOSPC' })
  await t.rejects(Promise.resolve(backend('y').writeZeroes(0, 4096)), { code: 'ENOSPC' })
  await backend('x').write(0, new Uint8Array(4096).fill(1))
  await life.discard('x', 'me')
  await backend('y').write(0, new Uint8Array(8192))

  // the disk is full
  await life.discard('y', 'me')
  disk.failAt = disk.operations + 1
  disk.failures = 1000
  await t.rejects(life.failOver({ name: 'fo', at: newest, by: 'me' }), { code: 'full' })
  disk.failures = 0
  t.match(group.status(), { epoch: 1, state: 'protected' })
  await guest.live(hub, 1)
})

/** A fail-over to a moment, which the disk was full for once it was begun. */
async function begunFailOver() {
  for (let failAt = 1; failAt < 50; failAt++) {
    const all = await protectedHub({ limits: { journalBytes: 64 * 1024 } })
    const { disk, guest, group } = all
    const [position, then] = [...guest.moments][3]!
    await guest.live(all.hub, 40)
    const wanted = { name: 'fo', at: { position }, by: 'me' }
    disk.failAt = disk.operations + failAt
    await t.rejects(group.life.failOver(wanted), { code: 'full' })
    if (group.status().state === 'failing-over') return { ...all, wanted, then }
    await all.hub.close()
  }
  throw new Error('no fail-over was begun')
}

t.test('a fail-over that is begun has its moment, however long it takes until there is room', async t => {
  const { hub, group, wanted, then } = await begunFailOver()
  await hub.look()
  await group.life.failOver(wanted)
  t.equal(difference(await imagesOf(group.branches.get('fo')), then), undefined)
  await hub.close()
})

t.test('what could not go on when the hub was started is no problem once it is done', async t => {
  const { disk, wanted, then } = await begunFailOver()
  for (let failAt = 1; failAt < 50; failAt++) {
    const left = disk.afterKill()
    left.failAt = left.operations + failAt
    const hub = await playHub(left).catch(() => undefined)
    const group = hub?.groups[0]
    if (hub === undefined || group?.status().problem === undefined) {
      await hub?.close()
      continue
    }
    t.match(group.status(), { state: 'failing-over', problem: /cannot/ })
    await group.life.failOver(wanted)
    t.match(group.status(), { state: 'failed-over', problem: undefined })
    t.equal(difference(await imagesOf(group.branches.get('fo')), then), undefined)
    await hub.close()
    return
  }
  t.fail('it always went on')
})

t.test('a group that was never consistent is not started', async t => {
  const hub = await playHub(new PlayedDisk())
  const agent = new PlayedAgent(hub, 'host-1')
  const { channel } = await agent.attached('web', { volumes })
  agent.say(channel, { kind: 'unsettled', reason: 'new replica' })
  await agent.allDurable(channel, agent.say(channel, { kind: 'fill', volume: 0, offset: 0, data: new Uint8Array(512) }))
  const [group] = hub.groups
  for (const begin of ['test', 'failOver'] as const)
    await t.rejects(group!.life[begin]({ name: 'x', at: newest, by: 'me' }), { code: 'no-such-point' })
  t.match(group!.status(), { state: 'syncing', unsettled: 'new replica', epoch: 1, isAttached: true })
})

t.test('races: attaches, writes and fail-overs', async t => {
  for (let seed = 0; seed < 30; seed++) {
    const random = createRandom(seed)
    const { hub, guest, group } = await protectedHub()
    let answered = 0
    const again = async () => {
      for (let count = 0; count < 3; count++) {
        await guest.agent.attach('web', { volumes, epoch: 1 })
        answered++
        for (let turn = random.int(4); turn > 0; turn--) await new Promise(resolve => setImmediate(resolve))
      }
    }
    const writes = async () => {
      for (let count = 0; count < 5; count++) {
        guest.write()
        for (let turn = random.int(3); turn > 0; turn--) await new Promise(resolve => setImmediate(resolve))
      }
    }
    const taking = async () => {
      for (let turn = random.int(6); turn > 0; turn--) await new Promise(resolve => setImmediate(resolve))
      await group.life.failOver({ name: 'fo', at: newest, by: 'me' })
      const { position } = group.journal.last
      await until('all is quiet', () => answered === 3)
      t.equal(group.journal.last.position, position, `seed ${seed}: nothing comes after the fence`)
      t.equal(group.branches.record('fo')!.position, group.journal.last.settled!.position)
      t.equal(group.status().isAttached, false)
    }
    await Promise.all([again(), writes(), taking()])
    await hub.close()
  }
})
