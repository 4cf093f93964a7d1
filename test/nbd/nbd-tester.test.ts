import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type BlockBackend, listenNbd, MemoryBackend, openFileBackend } from 'xenlight/nbd'
import { createRandom } from '../support/random.js'
import { optionOf, RawClient, requestOf, uint32 } from './raw-client.js'
import { socketFolder } from './socket-folder.js'
import { LogReplay, makeLog } from './transaction-log.js'

/** The cases of nbd's own nbd-tester-client, over EXPORT_NAME as it does: what each sends and what it takes for right. */

const mebibyte = 1024 * 1024

const backends: Record<string, (folder: string, size: number) => BlockBackend | Promise<BlockBackend>> = {
  memory: (_, size) => new MemoryBackend(size),
  file: (folder, create) => openFileBackend(join(folder, 'disk'), { create }),
}

async function each(t: Test, size: number, use: (t: Test, client: RawClient, backend: BlockBackend) => Promise<void>) {
  for (const [kind, open] of Object.entries(backends))
    await t.test(kind, async t => {
      const folder = socketFolder(t)
      const path = join(folder, 's')
      const backend = await open(folder, size)
      await using _ = await listenNbd({ path }, [{ name: 'export1', backend }])
      using client = new RawClient(path)
      await client.take(18)
      client.send(uint32(1))
      await use(t, client, backend)
    })
}

/** Chooses the export in the oldest way. */
async function choose(client: RawClient): Promise<{ size: number; flags: number }> {
  client.send(optionOf(1, Buffer.from('export1')))
  const bytes = await client.take(10 + 124)
  return { size: Number(bytes.readBigUInt64BE(0)), flags: bytes.readUInt16BE(8) }
}

for (const what of ['read', 'write', 'write and flush'] as const)
  t.test(`throughput: the whole export, ${what} a KiB at a time, with no wait for replies`, async t => {
    await each(t, 4 * mebibyte, async (t, client, backend) => {
      const { size, flags } = await choose(client)
      t.equal(flags & 12, 12, 'FLUSH and FUA are there')
      const isWrite = what !== 'read'
      const waiting = new Set<bigint>()
      const ask = (kind: number, offset: number, flag: number, data?: Buffer) => {
        const cookie = BigInt(offset) + (kind === 3 ? 2n ** 63n : 0n)
        waiting.add(cookie)
        client.send(requestOf(kind, kind === 3 ? 0 : offset, kind === 3 ? 0 : 1024, flag, cookie), data ?? '')
      }
      for (let at = 0; at < size; at += 1024) {
        const turn = what === 'write and flush' ? (at / 1024) % 16 : 0
        ask(isWrite ? 1 : 0, at, turn === 3 ? 1 : 0, isWrite ? Buffer.alloc(1024, 'X') : undefined)
        if (turn === 11) ask(3, at, 0)
      }
      const asked = waiting.size
      while (waiting.size > 0) {
        const { error, cookie } = await client.reply()
        if (error !== 0 || !waiting.delete(cookie)) throw new Error(`${error} for ${cookie}`)
        if (!isWrite) await client.take(1024)
      }
      t.equal(asked, what === 'write and flush' ? 4096 + 256 : 4096)
      if (isWrite) t.ok(Buffer.from(await backend.read(0, size)).equals(Buffer.alloc(size, 'X')))
    })
  })

const { CI, SEED = CI ? `${Date.now() % 2 ** 31}` : '1' } = process.env
const size = 50 * 1000 * 1024
for (const [name, count, largest] of [
  ['integrity', 4000, 32 * 1024],
  ['integrity, huge', 300, 4 * mebibyte],
] as const) {
  t.test(`${name}: a log is replayed, SEED=${SEED}`, async t => {
    await each(t, size, async (t, client) => {
      await choose(client)
      const replay = new LogReplay(client, makeLog(count, size, largest, createRandom(Number(SEED))))
      await replay.run()
      t.ok(replay.mostAtOnce > 1, `up to ${replay.mostAtOnce} at once`)
    })
  })
}

t.test('oversize: 1 MiB is read, and what is more either is too or is not, however much', async t => {
  await each(t, 4 * mebibyte, async (t, client) => {
    await choose(client)
    const errors: number[] = []
    for (const [offset, length] of [mebibyte, mebibyte + 14, 2 * (mebibyte + 14)].entries()) {
      client.send(requestOf(0, offset, length, 0, BigInt(offset)))
      const { error, cookie } = await client.reply()
      t.equal(cookie, BigInt(offset))
      errors.push(error)
      if (error === 0) t.ok((await client.take(length)).equals(Buffer.alloc(length)))
    }
    t.strictSame(errors, [0, 0, 0])
  })
})

t.test('handshake: an unknown option is refused by its number, then ABORT', async t => {
  await each(t, mebibyte, async (t, client) => {
    client.send(optionOf(0x0765_4321, uint32(4)))
    const header = await client.take(20)
    t.equal(header.readBigUInt64BE(0), 0x0003_e889_0455_65a9n)
    t.equal(header.readUInt32BE(8), 0x0765_4321)
    t.equal(header.readUInt32BE(12), 0x8000_0001)
    await client.take(header.readUInt32BE(16))
    client.send(optionOf(2))
    t.equal((await client.answer()).type, 1)
    await client.ended
  })
})

t.test('list: the names, and then the export that is chosen', async t => {
  await each(t, mebibyte, async (t, client) => {
    client.send(optionOf(3))
    t.strictSame(await client.answer(), { type: 2, data: Buffer.concat([uint32(7), Buffer.from('export1')]) })
    t.strictSame(await client.answer(), { type: 1, data: Buffer.alloc(0) })
    t.equal((await choose(client)).size, mebibyte)
  })
})
