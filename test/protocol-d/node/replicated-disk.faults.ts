import { readdirSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { createReplicatedDisk, ReplicatedDisk } from 'xenlight/protocol-d'
import { allAcknowledged, bothEqual, filled, megabyte, open, pairOf } from '../disk-pair.js'
import { eventually } from '../eventually.js'

t.test('epochs that are larger than the memory for them are read again from the log', async t => {
  const { first, second, contents } = await pairOf(t, 8 * megabyte, { second: { memory: 100_000 } })
  await first.setCheckpointing(true)
  for (let at = 0; at < 8; at++) await first.write(at * megabyte, filled(at + 1, megabyte))
  await first.writeZeroes(3 * megabyte, megabyte / 2)
  await eventually('it is received', () => second.status().openEpoch > 7 * megabyte)
  t.notOk(contents('b').includes(1), 'nothing of it is on the disk yet')
  const { isAwaited } = await first.checkpoint()
  t.ok(isAwaited)
  await first.waitForAck({ timeout: 10_000 })
  await first.setCheckpointing(false)
  await allAcknowledged(first)
  t.ok(contents('a').equals(contents('b')))
})

t.test('an epoch larger than the log ends the connection, and says so; the last checkpoint stays', async t => {
  const { first, second, contents } = await pairOf(t, 100 * megabyte)
  await first.setCheckpointing(true)
  await first.write(0, filled(1, 4096))
  await first.checkpoint()
  await first.waitForAck({ timeout: 10_000 })
  let refusal: Error | undefined
  const said = second.onChange(() => {
    if (second.status().why.includes('larger than the log')) refusal ??= new Error(second.status().why)
  })
  for (let at = 0; at < 80; at++) {
    await first.write(at * megabyte, filled(2, megabyte))
    // a guest is not alone in its process
    await new Promise(resolve => setImmediate(resolve))
  }
  await eventually('it says so', () => refusal !== undefined)
  said()
  await t.rejects(
    (async () => {
      await first.checkpoint()
      await first.waitForAck({ timeout: 10_000 })
    })(),
    { name: 'ProtocolDError', code: /^(?:no-peer|peer-lost|no-checkpoints)$/ },
  )
  // the Primary lives, and what it wrote counts: the other one is brought up to date
  await bothEqual(first, second)
  await allAcknowledged(first)
  t.ok(contents('a').equals(contents('b')))
})

t.test('a guest that discards a whole disk keeps nobody waiting', async t => {
  const { first, second, contents } = await pairOf(t, 64 * megabyte, { first: { timeout: 600 } })
  await first.write(0, filled(1, megabyte))
  await first.writeZeroes(0, 64 * megabyte)
  await allAcknowledged(first)
  t.equal(second.status().connection, 'equal')
  t.notOk(contents('b').includes(1))
  t.ok(contents('a').equals(contents('b')))
})

t.test('one process has a node', async t => {
  const { folder } = await pairOf(t, megabyte)
  const path = join(folder, 'other')
  await t.rejects(ReplicatedDisk.open({ data: join(folder, 'a'), pair: 'pair', peer: { listen: { path } } }), {
    code: 'in-use',
  })
})

t.test('nothing is made over what is there, and a failure leaves nothing', async t => {
  const { folder } = await pairOf(t, megabyte)
  const create = (name: string, size?: number) => createReplicatedDisk({ data: join(folder, name), pair: 'p', size })
  await t.rejects(create('a', megabyte), { code: 'file-failed' })
  await t.rejects(create('a'), { code: 'file-failed' }, 'its metadata is there')
  await t.rejects(create('none'), { code: 'file-failed' })
  await t.rejects(create('missing/folder', 512), { code: 'file-failed' })
  t.strictSame(readdirSync(folder).sort(), ['a', 'a.epochs', 'a.meta', 'b', 'b.epochs', 'b.meta', 'peer'])
  await t.rejects(create('odd', 513), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('strangers at the door hurt nobody', async t => {
  const { folder, first, second, contents } = await pairOf(t, megabyte)
  const path = join(folder, 'peer')
  const strangers = Array.from({ length: 40 }, (_, index) => {
    const socket = connect(path)
    socket.on('error', () => {})
    if (index % 3 === 0) socket.write('GET / HTTP/1.1\r\n\r\n')
    if (index % 3 === 1) socket.write(Buffer.alloc(100_000, index))
    return socket
  })
  t.teardown(() => {
    for (const socket of strangers) socket.destroy()
  })
  await first.write(0, filled(7, 65_536))
  await allAcknowledged(first)
  t.equal(second.status().connection, 'equal')
  t.ok(contents('a').equals(contents('b')))
})

t.test('another pair, and another size, are refused', async t => {
  const { folder, first, second } = await pairOf(t, megabyte)
  await second.close()
  await createReplicatedDisk({ data: join(folder, 'c'), size: 2 * megabyte, pair: 'pair', logSize: 64 * megabyte })
  const peer = { connect: { path: join(folder, 'peer') } }
  const larger = await open(t, { data: join(folder, 'c'), pair: 'pair', peer })
  await eventually('it says why', () => larger.status().why.includes('not of one size'))
  await larger.close()
  await t.rejects(open(t, { data: join(folder, 'b'), pair: 'other', peer }), { code: 'other-pair' })
  await createReplicatedDisk({ data: join(folder, 'd'), size: megabyte, pair: 'other', logSize: 64 * megabyte })
  const stranger = await open(t, { data: join(folder, 'd'), pair: 'other', peer })
  await eventually('it says why', () => stranger.status().whyLost.includes("have both nodes one pair's name"))
  t.equal(stranger.status().connection, 'none')
  t.equal(first.status().role, 'primary')
})

t.test('a connection that is ended is made again', async t => {
  const { first, second, contents } = await pairOf(t, megabyte)
  first.disconnect()
  await first.write(0, filled(3, 4096))
  await bothEqual(first, second)
  await allAcknowledged(first)
  t.ok(contents('a').equals(contents('b')))
})

t.test('a slow network is no dead one: what waits to be sent is sent', async t => {
  const pair = await pairOf(t, 6 * megabyte, { first: { timeout: 300 }, second: { timeout: 300 }, rate: 6 * megabyte })
  const { first, second, contents } = pair
  await first.setCheckpointing(true)
  for (let at = 0; at < 6; at++) await first.write(at * megabyte, filled(at + 1, megabyte))
  t.ok(first.status().unsent > 3 * megabyte, 'it is sent for longer than a peer may be silent')
  await first.checkpoint()
  await first.waitForAck({ timeout: 20_000 })
  await first.setCheckpointing(false)
  t.equal(second.status().whyLost, '')
  await allAcknowledged(first)
  t.ok(contents('a').equals(contents('b')))
})

t.test('a demotion waits for what the other one has not acknowledged', async t => {
  for (const by of ['first', 'second'] as const) {
    const { first, second, contents } = await pairOf(t, 4 * megabyte, { rate: 20 * megabyte })
    const [primary, other] = by === 'first' ? [first, second] : [second, first]
    if (by === 'second') {
      await first.demote()
      await second.promote()
    }
    for (let at = 0; at < 3; at++) await primary.write(at * megabyte, filled(at + 1, megabyte))
    await primary.flush()
    t.ok(primary.status().unacknowledged > 0, `${by}: it is on its way`)
    await primary.demote()
    t.match(primary.status(), { role: 'secondary', differing: 0, unacknowledged: 0 })
    await primary.close()
    await eventually('the other one is alone', () => other.status().connection === 'none')
    await other.promote()
    t.ok(contents('a').equals(contents('b')), `${by}: nothing is lost`)
  }
})

t.test('a demotion beside a peer that acknowledges nothing ends with the time', async t => {
  const { first, way } = await pairOf(t, megabyte, { rate: 100 * megabyte })
  way!.isStopped = true
  await first.write(0, filled(1, 4096))
  await t.rejects(first.demote({ timeout: 300 }), { code: 'peer-lost' })
  t.match(first.status(), { role: 'primary', connection: 'none' })
  await first.demote()
  t.match(first.status(), { role: 'secondary', differing: 4096 }, 'alone it can')
  for (const timeout of [-1, Number.NaN]) await t.rejects(first.demote({ timeout }), { code: 'ERR_OUT_OF_RANGE' })
})

t.test('a time without an end is none', async t => {
  const { first, second } = await pairOf(t, megabyte)
  for (const timeout of [Number.POSITIVE_INFINITY, 3e9]) {
    await first.demote({ timeout })
    await first.promote({}, { timeout })
  }
  t.equal(second.status().whyLost, '')
})

t.test('a promotion beside a peer that does not answer ends with the time', async t => {
  const { second, way } = await pairOf(t, megabyte, { rate: 100 * megabyte })
  way!.isStopped = true
  await t.rejects(second.promote({ two: true }, { timeout: 300 }), { code: 'peer-lost' })
  t.match(second.status(), { role: 'secondary', connection: 'none' })
})

t.test('what is not on the disk is refused, and hurts nobody', async t => {
  const { first, second } = await pairOf(t, megabyte)
  const outside: [number, number][] = [
    [megabyte, 1],
    [-4096, 4096],
    [0.5, 512],
    [Number.NaN, 512],
    [megabyte - 1, 2],
  ]
  for (const [offset, length] of outside) {
    t.throws(() => first.write(offset, new Uint8Array(length)), { code: /^ERR_/ }, `write at ${offset}`)
    t.throws(() => first.read(offset, length), { code: /^ERR_/ })
    t.throws(() => first.writeZeroes(offset, length), { code: /^ERR_/ })
  }
  t.throws(() => first.read(0, -1), { code: 'ERR_OUT_OF_RANGE' })
  await bothEqual(first, second)
})

t.test('what is asked of a closed node fails, and so does what was under way', async t => {
  const { first } = await pairOf(t, megabyte)
  const begun = [first.flush(), first.setCheckpointing(true), first.waitForAck()]
  const closed = first.close()
  const outcomes = await Promise.allSettled(begun)
  t.equal(outcomes.length, 3, 'all of them settle')
  await closed
  const asked = [
    () => first.read(0, 512),
    () => first.write(0, filled(1, 512)),
    () => first.flush(),
    () => first.promote(),
  ]
  for (const ask of asked) await t.rejects(async () => ask())
  await t.rejects(async () => first.demote())
})

t.test('the files have to be those of the node', async t => {
  const { folder, first, second } = await pairOf(t, megabyte)
  await first.close()
  await second.close()
  const [data, path] = [join(folder, 'a'), join(folder, 'p')]
  const node = { data, pair: 'pair', peer: { listen: { path } } }
  await t.rejects(open(t, { ...node, log: join(folder, 'b.epochs') }), {
    code: 'file-failed',
    message: /the log is not the one/,
  })
  await t.rejects(open(t, { ...node, log: data }), { code: 'file-failed', message: /are one/ })
  const other = { data, meta: join(folder, 'other.meta'), log: join(folder, 'other.epochs'), pair: 'pair' }
  await createReplicatedDisk({ ...other, logSize: 64 * megabyte })
  const opened = await open(t, node)
  await t.rejects(open(t, { ...other, peer: { listen: { path: join(folder, 'q') } } }), { code: 'in-use' })
  await opened.promote()
  truncateSync(data, 4096)
  t.throws(() => opened.read(8192, 512), { code: 'EIO' }, 'what is gone is no zeroes')
  await opened.close()
  truncateSync(join(folder, 'b.epochs'), 0)
  await t.rejects(open(t, { ...node, data: join(folder, 'b') }), { message: /the log is not the one/ })
})

t.test('what a node wrote alone is discarded at the next meeting, unless it is promoted before', async t => {
  const { first, second } = await pairOf(t, megabyte)
  await t.rejects(first.discardOwnChanges(), { code: 'is-primary', message: /demote it first/ })
  await second.discardOwnChanges()
  await bothEqual(first, second)
  t.notOk(second.status().discards, 'it counts once')
  await first.close()
  await second.discardOwnChanges()
  t.ok(second.status().discards, 'its status says so')
  await second.promote()
  t.notOk(second.status().discards)
})
