import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import type { BlockExtent } from '#xenlight/nbd/block-backend.js'
import { ProtectedGroup } from '#xenlight/replication/agent/protected-group.js'
import { granuleSize } from '#xenlight/replication/wire/message.js'
import { stamped } from './model/contents.js'
import { PlayedClock } from './model/played-clock.js'
import { PlayedMeta, Stage } from './model/stage.js'

/** A stage whose hub has all. */
async function settled(granules: readonly number[], ...options: Parameters<Stage['open']>): Promise<Stage> {
  const stage = new Stage(granules)
  await stage.open(...options)
  stage.connect()
  await stage.rest()
  return stage
}

// a busy machine takes its time
t.setTimeout(0)

t.test('a new volume is compared, then sent where it differs, then protected', async t => {
  const stage = new Stage([40, 3])
  stage.images[0]!.write(5 * granuleSize, stamped(7, granuleSize))
  await stage.open()
  t.strictSame(stage.states, ['degraded', 'degraded'])
  t.match(stage.group.status.recoveryPoint, { behind: undefined, isMet: false })
  stage.connect()
  await stage.work({ isDurable: false })
  t.match(stage.group.status.volumes[0]!.state, { state: 'syncing', reason: 'new-volume', bytes: 43 * granuleSize })
  await stage.work()
  t.strictSame(stage.states, ['protected', 'protected'])
  t.match(stage.group.status, { recoveryPoint: { behind: 0, isMet: true }, queued: 0 })
  t.strictSame(
    stage.taken.map(({ kind }) => kind),
    ['unsettled', 'fill', 'settled'],
    'what is zero on both sides is not sent',
  )
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('after an outage only what changed is sent, whatever ended meanwhile', async t => {
  const outage = fc.record({
    writes: fc.array(fc.tuple(fc.nat(1), fc.nat(59), fc.boolean()), { minLength: 1, maxLength: 40 }),
    ends: fc.constantFrom('nothing', 'agent', 'queue'),
  })
  await fc.assert(
    fc.asyncProperty(outage, async ({ writes, ends }) => {
      const stage = await settled([60, 60], { memory: ends === 'queue' ? 256 * 1024 : 64 * 1024 * 1024 })
      stage.disconnect()
      const dirty = new Set<string>()
      for (const [volume, granule, isZero] of writes) {
        const disk = stage.group.volumes[volume]!
        if (isZero) await disk.writeZeroes(granule * granuleSize, 512)
        else await disk.write(granule * granuleSize, stamped(granule + 1, 32 * 1024))
        dirty.add(`${volume} ${granule}`)
      }
      if (ends === 'agent') await stage.open()
      const before = stage.taken.length
      stage.connect()
      await stage.work()
      const bytes = stage.fillsSince(before)
      const isQueueEnough = stage.taken[before]!.kind !== 'unsettled'
      t.strictSame(stage.states, ['protected', 'protected'])
      for (const [volume, image] of stage.images.entries())
        if (!Buffer.from(stage.hub.durable.bytes[volume]!).equals(image.now)) return false
      if (ends === 'nothing' && !isQueueEnough) return false
      return bytes === (isQueueEnough ? 0 : dirty.size * granuleSize)
    }),
    { numRuns: 20 },
  )
})

t.test('bits are cleared late: a granule that is written again and again costs one write of its page', async t => {
  const stage = await settled([300])
  const disk = stage.group.volumes[0]!
  await disk.write(0, stamped(1, 512))
  await stage.work()
  const { writes } = stage.metas[0]!
  for (let number = 2; number < 50; number++) {
    t.equal(disk.write(0, stamped(number, 512)), undefined, 'it is through at once')
    await stage.work()
  }
  t.equal(stage.metas[0]!.writes, writes)
})

t.test('the hub is slow, silent, or gone: no write waits, and the state says so', async t => {
  const stage = await settled([300], { heartbeat: 5000, target: 2 })
  const disk = stage.group.volumes[0]!
  // all extents are active
  for (let at = 0; at < 300; at += 64) await disk.write(at * granuleSize, stamped(9, 512))
  await stage.work()
  disk.write(0, stamped(1, 4096))
  stage.clock.pass(1500)
  t.match(stage.group.status, {
    volumes: [{ state: { state: 'protected', lag: { bytes: 4096, seconds: 1.5 } } }],
    recoveryPoint: { behind: 1.5, isMet: true },
  })
  stage.clock.pass(1000)
  t.match(stage.group.status.recoveryPoint, { behind: 2.5, isMet: false })
  stage.clock.pass(4000)
  t.match(stage.group.status.volumes[0]!.state, { state: 'degraded', why: /silent/, bytes: granuleSize })
  stage.disconnect()
  const since = stage.clock.now()
  stage.clock.pass(1000)
  for (let at = 0; at < 200; at++) t.equal(disk.write(at * granuleSize, stamped(2, granuleSize)), undefined)
  t.match(stage.group.status.volumes[0]!.state, {
    state: 'degraded',
    since,
    why: /no connection/,
    bytes: 200 * granuleSize,
  })
  t.match(stage.group.status.recoveryPoint, { behind: 7.5, isMet: false })
  for (let more = 0; more < 5; more++)
    for (let at = 0; at < 300; at++) t.equal(disk.write(at * granuleSize, stamped(3, granuleSize)), undefined)
  t.equal(stage.group.status.queued, 0, 'it is dropped')
  t.match(stage.group.status.recoveryPoint, { behind: 7.5, isMet: false })
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(stage.taken.some(message => message.kind === 'unsettled' && /queue/.test(message.reason)))
})

t.test('what the memory has no room for waits in the spill file', async t => {
  const bytes = Buffer.alloc(32 * 1024 * 1024)
  const file = {
    readInto: (offset: number, target: Uint8Array) => bytes.copy(target, 0, offset),
    write: (offset: number, data: Uint8Array) => bytes.set(data, offset),
    truncate: () => {},
  }
  const stage = await settled([300], { memory: 512 * 1024, spill: { file, size: bytes.length } })
  stage.disconnect()
  for (let at = 0; at < 300; at++) await stage.group.volumes[0]!.write(at * granuleSize, stamped(at + 1, granuleSize))
  const before = stage.taken.length
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.strictSame(
    stage.taken.slice(before).map(message => message.kind === 'write' && message.offset / granuleSize),
    Array.from({ length: 300 }, (_, at) => at),
  )
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('a checkpoint is there when the hub has it; where there is no moment, none is taken', async t => {
  const stage = await settled([4])
  await t.rejects(stage.group.point('no name'), { code: 'bad-name' })
  await stage.group.volumes[0]!.write(0, stamped(1, 512))
  let taken: unknown
  const time = stage.clock.now()
  stage.group.point('before-upgrade').then(point => {
    taken = point
  })
  await stage.work({ isDurable: false })
  t.equal(taken, undefined)
  await stage.work()
  t.match(taken, { name: 'before-upgrade', time })
  t.strictSame(stage.hub.durable.points, ['before-upgrade'])
  stage.disconnect()
  const lost = t.rejects(stage.group.point('lost'), { code: 'lost' })
  stage.group.pause()
  await lost
  await t.rejects(stage.group.point('none'), { code: 'wrong-state', message: /paused/ })
})

t.test('paused, writes are marked; resumed, they are sent', async t => {
  const stage = await settled([10])
  stage.group.pause()
  await stage.group.volumes[0]!.write(granuleSize, stamped(1, 512))
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'paused', bytes: granuleSize })
  const before = stage.taken.length
  stage.group.resume()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.equal(stage.fillsSince(before), granuleSize)
})

t.test('stopped, nothing is marked: started again, all is compared, also by a later agent', async t => {
  for (const isRestarted of [false, true]) {
    const stage = await settled([10])
    await stage.group.stop()
    const { writes } = stage.metas[0]!
    await stage.group.volumes[0]!.write(granuleSize, stamped(1, 512))
    t.equal(stage.metas[0]!.writes, writes)
    t.strictSame(stage.states, ['unprotected'])
    const before = stage.taken.length
    if (isRestarted) {
      await stage.open()
      stage.connect()
    } else await stage.group.start()
    await stage.work()
    t.strictSame(stage.states, ['protected'])
    t.equal(stage.fillsSince(before), granuleSize)
    t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
  }
})

t.test('an agent that begins paused, or unprotected, goes on so', async t => {
  const stage = await settled([10])
  await stage.open({ pausedSince: 7 })
  stage.connect()
  await stage.work()
  await stage.group.volumes[0]!.write(granuleSize, stamped(1, 512))
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'paused', since: 7, bytes: granuleSize })
  const before = stage.taken.length
  stage.group.resume()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.equal(stage.fillsSince(before), granuleSize)

  await stage.group.stop()
  await stage.open({ isProtecting: false })
  stage.connect()
  await stage.group.volumes[0]!.write(5 * granuleSize, stamped(2, 512))
  await stage.work()
  t.strictSame(stage.states, ['unprotected'])
  // whoever ends, and however often: what nobody marked is compared
  await stage.open({ isProtecting: false })
  await stage.open()
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('disks that were failed back to while unprotected are compared all the same', async t => {
  const stage = await settled([10])
  await stage.group.stop()
  const adopted = stage.group.adopt({ replica: stage.hub.replica, stream: stage.hub.durable.stream!, sequence: 1 }, 1)
  await new Promise(resolve => setImmediate(resolve))
  stage.images[0]!.endSync()
  await adopted
  await stage.group.volumes[0]!.write(5 * granuleSize, stamped(2, 512))
  await stage.open()
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('a hub that is full for a while gets what waits, and no more', async t => {
  const stage = await settled([10])
  stage.hub.becomeFull()
  await stage.work()
  await stage.group.volumes[0]!.write(0, stamped(1, 512))
  t.match(stage.group.status.volumes[0]!.state, { state: 'degraded', why: /full/ })
  const before = stage.taken.length
  stage.hub.becomeReady()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.strictSame(
    stage.taken.slice(before).map(({ kind }) => kind),
    ['write'],
  )
})

t.test('fenced, it has failed until the hub says otherwise over another connection; writes go on', async t => {
  const stage = await settled([10])
  stage.group.receive({ kind: 'stopped', channel: 1, code: 'fenced', message: 'epoch 3 has taken over' })
  await stage.group.volumes[0]!.write(0, stamped(1, 512))
  stage.clock.pass(60_000)
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'failed', why: 'epoch 3 has taken over' })
  stage.disconnect()
  t.match(stage.group.status.volumes[0]!.state, { state: 'failed', why: 'epoch 3 has taken over' })
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
})

t.test('a hub that breaks the protocol is cut off', async t => {
  const cases = [
    { kind: 'durable', channel: 1, sequence: 1000 },
    { kind: 'durable', channel: 1, sequence: 1 },
    { kind: 'durable', channel: 1, sequence: Number.NaN },
  ] as const
  for (const message of cases) {
    const stage = await settled([10])
    await stage.group.volumes[0]!.write(0, stamped(1, 512))
    await stage.work()
    stage.group.receive(message)
    t.match(stage.rejections, [{ code: 'protocol' }])
  }
  const stage = new Stage([10])
  await stage.open()
  stage.connect()
  await stage.work({ isDurable: false })
  stage.group.receive({ kind: 'attached', channel: 1, epoch: 0, replica: 'x', holds: false, window: 2 ** 40 })
  t.strictSame(stage.rejections, [], 'an answer to nothing is nothing')
  stage.hub.receive = message => {
    if (message.kind === 'digestsRequest')
      stage.hub.outbox.push({ kind: 'bytes', channel: 1, request: message.request, data: new Uint8Array(31) })
  }
  await stage.work()
  t.match(stage.rejections, [{ code: 'protocol', message: /digests/ }])
})

t.test('a write that the image fails is told to the guest, and sent as the image has it', async t => {
  const stage = await settled([10])
  const disk = stage.group.volumes[0]!
  stage.backends[0]!.failing = 1
  await t.rejects(async () => disk.write(0, stamped(1, 512)), { code: 'EIO' })
  t.strictSame(stage.states, ['resyncing'])
  t.match(stage.group.status.volumes[0]!.state, { reason: 'write-failed', left: granuleSize })
  await stage.work()
  t.strictSame(stage.states, ['protected'])
})

t.test('a granule that cannot be read is tried again; the others go on, and so does the guest', async t => {
  const stage = new Stage([10])
  stage.images[0]!.write(0, stamped(1, 2 * granuleSize))
  await stage.open()
  const backend = stage.backends[0]!
  const { readInto } = backend
  let isBroken = true
  Object.assign(backend, {
    readInto(offset: number, target: Uint8Array) {
      if (isBroken && offset === granuleSize) throw Object.assign(new Error('a bad sector'), { code: 'EIO' })
      readInto!(offset, target)
    },
  })
  stage.connect()
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'failed', why: 'a bad sector' })
  t.equal(stage.fillsSince(0), granuleSize)
  await stage.group.volumes[0]!.write(5 * granuleSize, stamped(2, 512))
  await stage.work()
  t.equal(stage.taken.at(-1)!.kind, 'write')
  isBroken = false
  stage.clock.pass(5000)
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('metadata that cannot be written: it is not believed any more, and writes go on', async t => {
  const stage = await settled([10, 10])
  await stage.group.volumes[1]!.write(granuleSize, stamped(2, 512))
  stage.metas[1]!.failure = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  await stage.group.volumes[1]!.write(0, stamped(1, 512))
  t.ok(stage.metas.every(({ isDiscarded }) => isDiscarded))
  t.equal(new DataView(stage.images[1]!.now.buffer).getUint32(0, true), 1)
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'failed', why: /metadata of disk1.*no space left/ })
})

t.test('metadata that can neither be written nor discarded: nothing is written', async t => {
  const stage = await settled([10])
  stage.metas[0]!.failure = new Error('no space left')
  Object.defineProperty(stage.metas[0], 'isDiscarded', {
    set() {
      throw new Error('read-only')
    },
  })
  await t.rejects(async () => stage.group.volumes[0]!.write(0, stamped(1, 512)), { message: 'no space left' })
  t.equal(stage.images[0]!.now[0], 0)
})

t.test('long writes are sent in parts; empty ones do nothing', async t => {
  const stage = await settled([80])
  const before = stage.taken.length
  await stage.group.volumes[0]!.write(512, new Uint8Array(0))
  await stage.group.volumes[0]!.write(512, stamped(9, 3 * 1024 * 1024))
  await stage.work()
  t.strictSame(
    stage.taken.slice(before).map(message => 'data' in message && [message.offset - 512, message.data.length]),
    [0, 1, 2].map(at => [at * 1024 * 1024, 1024 * 1024]),
  )
})

t.test('trim: what the image makes zero is zero at the hub; the rest stays', async t => {
  const stage = new Stage([10])
  stage.images[0]!.write(0, stamped(1, 10 * granuleSize))
  await stage.open()
  stage.connect()
  await stage.rest()
  const disk = stage.group.volumes[0]!
  const before = stage.taken.length
  t.equal(disk.trim(0, granuleSize), undefined, 'an image that cannot tell is not asked')
  await stage.work()
  t.equal(stage.taken.length, before)

  await stage.group.close()
  await stage.open()
  Object.assign(stage.backends[0]!, {
    trim: () => stage.images[0]!.write(granuleSize, new Uint8Array(granuleSize)),
    blockStatus: (offset: number, length: number): BlockExtent[] => {
      const zero = offset >= granuleSize && offset < 2 * granuleSize
      return [
        { length: zero || offset < granuleSize ? granuleSize - (offset % granuleSize) : length, hole: zero, zero },
      ]
    },
  })
  stage.connect()
  await stage.rest()
  const from = stage.taken.length
  await stage.group.volumes[0]!.trim(512, 3 * granuleSize)
  await stage.work()
  t.match(stage.taken.slice(from), [{ kind: 'zero', offset: granuleSize, length: granuleSize }])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('a new replica at the hub, or one that lost what it had: all is compared, what differs is sent', async t => {
  const stage = await settled([20])
  for (let at = 0; at < 5; at++) await stage.group.volumes[0]!.write(at * granuleSize, stamped(at + 1, 512))
  await stage.rest()
  stage.disconnect()
  stage.hub.loseReplica()
  const before = stage.taken.length
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.match(stage.taken[before], { kind: 'unsettled', reason: /another replica/ })
  t.equal(stage.fillsSince(before), 5 * granuleSize)
})

t.test('closed and opened again there is nothing to send', async t => {
  const stage = await settled([20])
  await stage.group.volumes[0]!.write(0, stamped(1, 512))
  await stage.work()
  await stage.group.close()
  t.strictSame([...stage.group.volumes[0]!.keep.record.activity], [])
  await stage.open()
  const before = stage.taken.length
  stage.connect()
  await stage.work()
  t.strictSame(
    stage.taken.slice(before).map(({ kind }) => kind),
    ['unsettled', 'settled'],
  )
})

t.test('zeroes that the image refuses as not fast leave all as it is', async t => {
  const stage = await settled([10])
  const disk = stage.group.volumes[0]!
  const backend = stage.backends[0]!
  const { writeZeroes } = backend
  Object.assign(backend, {
    writeZeroes(offset: number, length: number, { fast = false } = {}) {
      if (fast) throw Object.assign(new Error('they are as slow as data'), { code: 'ENOTSUP' })
      return writeZeroes.call(backend, offset, length)
    },
  })
  const before = stage.taken.length
  await t.rejects(async () => disk.writeZeroes(0, 10 * granuleSize, { fast: true }), { code: 'ENOTSUP' })
  t.strictSame(stage.states, ['protected'])
  await stage.work()
  t.equal(stage.taken.length, before)
})

t.test('stopped, and failed back to: what is written then is compared by whoever starts it', async t => {
  for (const isRestarted of [false, true]) {
    const stage = await settled([10])
    await stage.group.stop()
    const { stream, sequence } = stage.hub.durable
    const adopted = stage.group.adopt({ replica: stage.hub.replica, stream: stream!, sequence }, 3)
    while (!stage.images[0]!.isSyncing) await new Promise(setImmediate)
    stage.images[0]!.endSync()
    await adopted
    t.strictSame(stage.states, ['unprotected'])
    await stage.group.volumes[0]!.write(granuleSize, stamped(1, 512))
    if (isRestarted) {
      await stage.open()
      stage.connect()
    } else await stage.group.start()
    await stage.work()
    t.strictSame(stage.states, ['protected'])
    t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
  }
})

t.test('stopped while the hub says that it has all: nothing is believed all the same', async t => {
  const stage = await settled([10])
  await stage.group.close()
  await stage.open()
  stage.connect()
  await stage.work({ isDurable: false })
  stage.hub.sync()
  const stopped = stage.group.stop()
  for (const message of stage.hub.outbox.splice(0)) stage.group.receive(message)
  await stopped
  await stage.group.volumes[0]!.write(granuleSize, stamped(1, 512))
  await stage.open()
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('what the image may have lost, as it failed a flush, is compared by the next agent', async t => {
  const stage = await settled([80])
  const disk = stage.group.volumes[0]!
  await disk.write(70 * granuleSize, stamped(1, 512))
  await stage.rest()
  Object.assign(stage.backends[0]!, {
    flush: async () => {
      throw Object.assign(new Error('the disk is broken'), { code: 'EIO' })
    },
  })
  await t.rejects(async () => disk.flush(), { code: 'EIO' })
  await stage.group.close().catch(() => {})
  // the system drops what it could not write
  stage.images[0]!.write(70 * granuleSize, stamped(0, 512))
  await stage.open()
  stage.connect()
  await stage.work()
  t.strictSame(stage.states, ['protected'])
  t.ok(Buffer.from(stage.hub.durable.bytes[0]!).equals(stage.images[0]!.now))
})

t.test('started under a guest that always writes', async t => {
  const stage = await settled([10])
  await stage.group.stop()
  const disk = stage.group.volumes[0]!
  const underWay: (() => void)[] = []
  Object.assign(stage.backends[0]!, { write: () => new Promise<void>(resolve => underWay.push(resolve)) })
  const write = (granule: number) => void disk.write(granule * granuleSize, stamped(1, 512))
  write(0)
  let isStarted = false
  const started = stage.group.start().then(() => {
    isStarted = true
  })
  for (let granule = 1; granule < 10; granule++) {
    write(granule)
    await new Promise(setImmediate)
    underWay.shift()!()
    await new Promise(setImmediate)
  }
  t.ok(isStarted)
  for (const done of underWay.splice(0)) done()
  await started
})

t.test('of a hub that lost what it had, no recovery point is told', async t => {
  const stage = await settled([20])
  stage.disconnect()
  stage.hub.loseReplica()
  stage.connect()
  await stage.work({ isDurable: false })
  t.strictSame(stage.states, ['resyncing'])
  t.match(stage.group.status.recoveryPoint, { behind: undefined, isMet: false })
  await stage.work()
  t.match(stage.group.status.recoveryPoint, { behind: 0, isMet: true })
})

t.test('a hub that had no digests once: that is told until it is asked again', async t => {
  const stage = new Stage([10])
  await stage.open()
  stage.connect()
  const { hub } = stage
  const receive = hub.receive.bind(hub)
  let isSick = true
  let waiting: Parameters<typeof receive>[0] | undefined
  hub.receive = message => {
    if (message.kind !== 'digestsRequest') receive(message)
    else if (isSick)
      hub.outbox.push({ kind: 'failed', channel: 1, request: message.request, code: 'lost', message: 'not now' })
    else waiting = message
  }
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'failed', why: /not now/ })
  isSick = false
  stage.clock.pass(5000)
  await stage.work()
  t.match(stage.group.status.volumes[0]!.state, { state: 'syncing', left: 10 * granuleSize })
  receive(waiting!)
  await stage.work()
  t.strictSame(stage.states, ['protected'])
})

t.test('more zeroes than the memory has room to remember: the queue is dropped, and the bitmap knows', async t => {
  const gibibyte = 1024 ** 3
  const size = 66 * gibibyte
  const nothing = () => {}
  const image = {
    size,
    read: () => new Uint8Array(0),
    write: nothing,
    writeZeroes: nothing,
    trim: nothing,
    flush: nothing,
  }
  const files = { meta: new PlayedMeta(), syncImage: async () => {}, discardMeta: nothing }
  const clock = new PlayedClock()
  const group = await ProtectedGroup.open({
    ...{ name: 'group', clock, boot: 'boot', newId: () => 'stream' },
    volumes: [{ name: 'disk', number: 0, id: 'id', image, files }],
  })
  group.connected({
    channel: 1,
    unsent: 0,
    heard: clock.uptime(),
    send: nothing,
    reject: error => t.fail(error.message),
  })
  group.receive({ kind: 'attached', channel: 1, epoch: 1, replica: 'r', holds: false, window: Number.MAX_SAFE_INTEGER })
  while (!group.stream.isOpen) await new Promise(setImmediate)
  const [disk] = group.volumes
  await disk!.writeZeroes(0, gibibyte)
  t.equal(group.stream.isOpen, true)
  await disk!.writeZeroes(0, size)
  t.equal(group.stream.isOpen, false)
  t.equal(disk!.ledger.unacknowledged, 0)
  t.match(group.status.volumes[0]!.state, { bytes: size })
})
