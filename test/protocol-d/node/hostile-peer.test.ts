import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createReplicatedDisk, type Hello, type ReplicatedDisk } from 'xenlight/protocol-d'
import { messageFraming } from '#xenlight/protocol-d/stream/message-codec.js'
import { megabyte, open } from '../disk-pair.js'
import { eventually } from '../eventually.js'
import { RawPeer, reach } from '../raw-peer.js'

/** A Primary that listens, its guest has written, and nobody is there. */
async function lonelyPrimary(t: Test, size = megabyte): Promise<{ disk: ReplicatedDisk; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-peer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [data, path] = [join(folder, 'a'), join(folder, 'peer')]
  await createReplicatedDisk({ data, size, pair: 'pair', logSize: 64 * megabyte })
  const disk = await open(t, { data, pair: 'pair', peer: { listen: { path } }, timeout: 1000 })
  await disk.promote({ force: true })
  await disk.write(0, Buffer.alloc(4096, 7))
  return { disk, path }
}

const hello: Hello = {
  ...{ pair: 'pair', size: megabyte, blockSize: 4096, role: 'secondary', isWriter: false, disk: 'inconsistent' },
  ...{
    generation: '',
    bases: [],
    history: [],
    differs: false,
    isUnfinished: false,
    checkpoint: 0,
    promotion: 0,
    discards: false,
  },
  afterSplitBrain: 'disconnect',
}

/** One that is being brought up to date. */
async function target(path: string, size: number): Promise<RawPeer> {
  const peer = await RawPeer.connect(path)
  peer.send('data', { kind: 'hello', hello: { ...hello, size } })
  await eventually('it is asked what differs', () => peer.messages.some(({ kind }) => kind === 'begin'))
  return peer
}

const stillServes = async (t: Test, disk: ReplicatedDisk) => {
  t.match(disk.status(), { role: 'primary', failure: undefined })
  t.equal((await disk.read(0, 512))[0], 7)
  await disk.write(0, Buffer.alloc(512, 7))
}

const resident = () => Math.round(process.memoryUsage().rss / megabyte)

t.test('pings and questions that nobody reads the answers of end the connection', async t => {
  const { disk, path } = await lonelyPrimary(t)
  const before = resident()
  const questions = [
    ['meta', { kind: 'ping' }],
    ['data', { kind: 'roleRequest', two: true, promotion: 0 }],
  ] as const
  for (const [channel, message] of questions) {
    using peer = await target(path, megabyte)
    peer.deafen()
    const many = Buffer.concat(Array(20_000).fill(messageFraming.encode(message)))
    for (let round = 0; round < 100 && !peer.isClosed; round++) {
      peer.sendBytes(channel, many)
      await delay(5)
    }
    await eventually('it is sent away', () => disk.status().connection === 'none')
  }
  t.ok(resident() - before < 300, `${resident() - before} MiB more`)
  await stillServes(t, disk)
})

t.test('blocks that differ are said once, in their order', async t => {
  const size = 2048 * megabyte
  const { disk, path } = await lonelyPrimary(t, size)
  const all = { first: 0, count: size / 4096 }
  for (const runs of [
    [all, all],
    [
      { first: 9, count: 1 },
      { first: 3, count: 1 },
    ],
    [{ first: size / 4096, count: 1 }],
  ]) {
    using peer = await target(path, size)
    peer.send('data', { kind: 'differing', runs, isLast: true })
    await eventually('it is not trusted', () => disk.status().why.includes('says them twice'))
    disk.disconnect()
  }
  await stillServes(t, disk)
})

t.test('who is not let in sends nothing but its opening', async t => {
  const { disk, path } = await lonelyPrimary(t)
  const large = messageFraming.encode({ kind: 'write', sequence: 1, offset: 0, data: new Uint8Array(32 * megabyte) })
  const before = resident()
  for (let stranger = 0; stranger < 16; stranger++) {
    const socket = await reach(path)
    t.teardown(() => socket.destroy())
    socket.write(large.subarray(0, -1))
    if (stranger === 0) await new Promise(resolve => socket.once('close', resolve))
  }
  t.ok(resident() - before < 200, `${resident() - before} MiB more`)
  await stillServes(t, disk)
})

t.test('one that never greets is sent away, and so is one that closes half of it', async t => {
  const { disk, path } = await lonelyPrimary(t)
  using silent = await RawPeer.connect(path)
  await eventually('it is there', () => disk.status().connection === 'hello')
  await eventually('it is sent away', () => disk.status().whyLost === 'it does not greet')
  await eventually('its connection is closed', () => silent.isClosed)
  const half = await reach(path)
  half.write(messageFraming.encode({ kind: 'open', session: 's', channel: 'data', pair: 'pair', version: 1 }))
  await delay(50)
  half.destroy()
  await delay(50)
  using other = await RawPeer.connect(path)
  await eventually('another one gets in', () => disk.status().connection === 'hello')
  t.notOk(other.isClosed)
  await stillServes(t, disk)
})

t.test('the other node does not say whose data counts', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-peer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [data, path] = [join(folder, 'a'), join(folder, 'evil')]
  await createReplicatedDisk({ data, size: megabyte, pair: 'pair', logSize: 64 * megabyte })
  const opened: Socket[] = []
  const server = createServer(socket => {
    const decoder = messageFraming.decoder()
    socket.on('error', () => {})
    socket.on('data', bytes =>
      decoder.push(bytes, message => {
        const say = (said: Parameters<typeof messageFraming.encode>[0]) => socket.write(messageFraming.encode(said))
        if (message.kind === 'open') {
          opened.push(socket)
          say(message)
        }
        if (message.kind === 'ping') say({ kind: 'pong', received: 0, isFull: false })
        if (message.kind !== 'hello') return
        say({ kind: 'hello', hello: { ...hello, disk: 'consistent', generation: 'evil', role: 'secondary' } })
        say({ kind: 'verdict', verdict: { kind: 'target', isFull: true } })
        say({ kind: 'begin', generation: 'evil' })
        say({ kind: 'copy', sequence: 1, offset: 0, data: new Uint8Array(4096).fill(6) })
      }),
    )
  })
  t.teardown(() => {
    server.close()
    for (const socket of opened) socket.destroy()
  })
  const disk = await open(t, { data, pair: 'pair', peer: { connect: { path } }, timeout: 1000 })
  await disk.promote({ force: true })
  await disk.write(0, Buffer.alloc(4096, 7))
  await new Promise<void>(resolve => server.listen(path, resolve))
  await eventually('it is not believed', () => disk.status().why.includes('decides otherwise'))
  await stillServes(t, disk)
})
