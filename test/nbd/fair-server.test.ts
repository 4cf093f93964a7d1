import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type BlockBackend, listenNbd, MemoryBackend, NbdServer, openFileBackend } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { keptBuffers } from '../support/kept-memory.js'
import { optionOf, RawClient, requestOf, uint16, uint32 } from './raw-client.js'
import { socketFolder } from './socket-folder.js'
import { ToldDuplex } from './told-duplex.js'

/** No client takes memory or time from the others. */

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte
const infoOf = (kind: number) => optionOf(kind, Buffer.concat([uint32(0), uint16(1), uint16(2)]))

function serve(t: Test, backend: BlockBackend, enters = true): ToldDuplex {
  const server = new NbdServer([{ name: '', backend, description: 'd'.repeat(4096) }])
  t.teardown(() => server.close())
  const client = new ToldDuplex()
  server.serve(client)
  client.say(uint32(3))
  if (enters) client.say(infoOf(7))
  client.heard.length = 0
  return client
}

t.test('a handshake that asks and does not read is answered no more, until it reads', async t => {
  const client = serve(t, new MemoryBackend(mebibyte), false)
  client.reads = false
  const count = 3000
  client.say(...Array(count).fill(infoOf(6)))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  t.ok(client.text.length < 128 * 1024, `${client.text.length} bytes wait for it`)
  t.ok(client.paused, 'nothing is read of it meanwhile')
  const each = 20 + 12 + 20 + 14 + 20 + 2 + 4096 + 20
  await eventually('all is answered', () => {
    client.drain()
    return client.heardBytes === count * each
  })
  t.notOk(client.paused)
})

t.test('what comes behind DISC is not kept', async t => {
  let go = () => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  class Held extends MemoryBackend {
    override write = () => held as never
  }
  const client = serve(t, new Held(mebibyte))
  client.say(requestOf(1, 0, 1), Buffer.alloc(1), requestOf(2, 0, 0))
  const before = keptBuffers()
  const much = Buffer.alloc(mebibyte)
  for (let count = 0; count < 100; count++) client.say(much)
  const more = keptBuffers() - before
  t.ok(more < 50 * mebibyte, `${more / mebibyte} MiB more`)
  go()
  await eventually('it is let go', () => client.closed)
  t.equal(client.text.length, 16, 'what was under way is answered')
})

t.test('many requests of one client do not hold up the event loop until all are done', async t => {
  let begun = 0
  class Slow extends MemoryBackend {
    override write(): void {
      begun++
      for (const end = performance.now() + 2; performance.now() < end; );
    }
  }
  const client = serve(t, new Slow(mebibyte))
  const one = Buffer.concat([requestOf(1, 0, 1), Buffer.alloc(1)])
  client.say(...Array(200).fill(one))
  t.ok(begun < 200, `${begun} have begun when the others have their turn`)
  client.say(...Array(3000).fill(one))
  t.ok(client.paused, 'it is not read from while so much waits')
  await eventually('it goes on', () => begun > 20)
})

t.test('of long zeroes a client has few under way', async t => {
  let begun = 0
  let go = () => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  class Held extends MemoryBackend {
    override writeZeroes(): never {
      begun++
      return held as never
    }
  }
  const client = serve(t, new Held(64 * gibibyte))
  for (let count = 0; count < 16; count++) client.say(requestOf(6, 0, gibibyte))
  t.equal(begun, 1)
  go()
  await eventually('all are answered', () => client.text.length === 16 * 16)
})

t.test('long zeroes end with their client', async t => {
  const folder = socketFolder(t)
  const path = join(folder, 's')
  const size = 3 * gibibyte
  const backend = await openFileBackend(join(folder, 'disk'), { create: size })
  await using server = await listenNbd({ path }, [{ name: '', backend }])
  await backend.write(0, Buffer.of(1))
  await backend.write(size - 1, Buffer.of(1))
  using client = new RawClient(path)
  await client.enter()
  client.send(requestOf(6, 0, size))
  const byteAt = async (at: number) => (await backend.read(at, 1))[0]
  while ((await byteAt(0)) !== 0) await new Promise(setImmediate)
  client.socket.destroy()
  await eventually('nothing of it is under way', () => server.connections === 0)
  t.equal(await byteAt(size - 1), 1, 'the end was not reached')
})
