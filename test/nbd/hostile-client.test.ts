import assert from 'node:assert/strict'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type BlockBackend, connectNbd, listenNbd, MemoryBackend, type NbdListenOptions } from 'xenlight/nbd'
import { eventually } from '../protocol-d/eventually.js'
import { holdsAsync } from '../support/holds.js'
import { optionOf, RawClient, requestOf, uint16, uint32 } from './raw-client.js'
import { socketFolder } from './socket-folder.js'

const mebibyte = 1024 * 1024

async function serve(t: Test, options: NbdListenOptions = {}, backend: BlockBackend = new MemoryBackend(mebibyte)) {
  const path = join(socketFolder(t), 's')
  const server = await listenNbd(
    { path },
    [
      { name: '', backend },
      { name: 'ro', backend, readOnly: true },
    ],
    options,
  )
  t.teardown(() => server.close())
  return { path, server }
}

const [EPERM, EINVAL, ENOSPC] = [1, 22, 28]
const requests = [
  ['a read beyond the end', requestOf(0, mebibyte - 10, 11), EINVAL],
  ['a read at 2^64 - 1', requestOf(0, 2n ** 64n - 1n, 1), EINVAL],
  ['a read whose end is beyond 2^64', requestOf(0, 2n ** 64n - 1n, 0xffff_ffff), EINVAL],
  ['a read of more than the maximum', requestOf(0, 0, 0xffff_ffff), EINVAL],
  ['a write beyond the end', Buffer.concat([requestOf(1, mebibyte - 2, 3), Buffer.alloc(3)]), ENOSPC],
  ['a write with an unknown flag', Buffer.concat([requestOf(1, 0, 3, 0x8000), Buffer.alloc(3)]), EINVAL],
  ['a write of 33 MiB', Buffer.concat([requestOf(1, 0, 33 * mebibyte), Buffer.alloc(33 * mebibyte)]), EINVAL],
  ['zeroes beyond the end', requestOf(6, 1, mebibyte), ENOSPC],
  ['a trim beyond the end', requestOf(4, 1, 0xffff_ffff), EINVAL],
  ['a command that there is not', requestOf(77, 0, 0), EINVAL],
  ['a status without a context', requestOf(7, 0, 10), EINVAL],
  ['DF on a write', Buffer.concat([requestOf(1, 0, 1, 4), Buffer.alloc(1)]), EINVAL],
] as const

t.test('a request that cannot be done gets its error, and the next one is served', async t => {
  const { path } = await serve(t)
  using client = new RawClient(path)
  await client.enter()
  for (const [what, bytes, error] of requests) {
    client.send(bytes)
    t.equal((await client.reply()).error, error, what)
    client.send(requestOf(0, 0, 4, 0, 99n))
    t.strictSame(await client.reply(), { error: 0, cookie: 99n }, `and after ${what}`)
    await client.take(4)
  }
})

t.test('the payload of a write that is refused may come later', async t => {
  const { path } = await serve(t)
  using client = new RawClient(path)
  await client.enter()
  client.send(requestOf(1, 0, 3, 0x8000))
  t.equal((await client.reply()).error, EINVAL)
  for (const byte of [1, 2, 3]) {
    client.send(Buffer.of(byte))
    await new Promise(setImmediate)
  }
  client.send(requestOf(0, 0, 3))
  t.equal((await client.reply()).error, 0)
  t.strictSame(await client.take(3), Buffer.alloc(3))
})

t.test('what came before DISC is answered, however it is cut', async t => {
  const { path } = await serve(t)
  // as much as is read at a time, all but it, and more
  for (const size of [65_536, 65_535, 65_537, 200, 131_072]) {
    using client = new RawClient(path)
    await client.enter()
    const data = Buffer.alloc(size - 56)
    client.send(requestOf(1, 0, data.length), data, requestOf(2, 0, 0))
    t.equal((await client.take(16)).length, 16, `${size} bytes`)
    await client.ended
  }
})

t.test('what is read-only stays as it is', async t => {
  const { path } = await serve(t)
  using client = new RawClient(path)
  await client.enter('ro')
  for (const request of [
    Buffer.concat([requestOf(1, 0, 2), Buffer.alloc(2)]),
    requestOf(4, 0, 2),
    requestOf(6, 0, 2),
  ]) {
    client.send(request)
    t.equal((await client.reply()).error, EPERM)
  }
})

const [unsupported, invalid, unknown, tooBig] = [0x8000_0001, 0x8000_0003, 0x8000_0006, 0x8000_0009]
const named = (name: string, length = name.length) => Buffer.concat([uint32(length), Buffer.from(name), uint16(0)])
const asking = (name: string, count: number) =>
  Buffer.concat([uint32(name.length), Buffer.from(name), uint16(count), Buffer.alloc(2 * count)])
const options = [
  ['an option that there is not', optionOf(99, Buffer.alloc(5)), unsupported],
  ['an unknown export', optionOf(7, named('nobody')), unknown],
  ['a name longer than its option', optionOf(7, named('x', 0xffff_ffff)), invalid],
  ['a name with a NUL', optionOf(7, named('a\0')), invalid],
  ['a name that is no UTF-8', optionOf(7, Buffer.concat([uint32(1), Buffer.of(0xff), uint16(0)])), invalid],
  ['a name of 4096 bytes', optionOf(7, named('x'.repeat(4096))), unknown],
  ['a name of 4097 bytes', optionOf(7, named('x'.repeat(4097))), invalid],
  ['an unknown option of 16 KiB', optionOf(99, Buffer.alloc(16_384)), unsupported],
  ['an option of more', optionOf(99, Buffer.alloc(16_385)), tooBig],
  ['a GO that asks 6,000 things of nobody', optionOf(7, asking('nobody', 6000)), unknown],
  ['a GO of three bytes', optionOf(7, Buffer.alloc(3)), invalid],
  ['a GO with more behind it', optionOf(7, Buffer.concat([named(''), Buffer.alloc(1)])), invalid],
  ['a LIST with data', optionOf(3, Buffer.alloc(1)), invalid],
  ['a megabyte of an option', optionOf(7, Buffer.alloc(mebibyte)), tooBig],
  ['contexts before structured replies', optionOf(10, Buffer.concat([uint32(0), uint32(0)])), invalid],
  ['2^32 - 1 contexts', optionOf(9, Buffer.concat([uint32(0), uint32(0xffff_ffff)])), invalid],
  ['TLS where there is none', optionOf(5), unsupported],
] as const

t.test('an option that cannot be is refused, and the next one is served', async t => {
  const { path } = await serve(t)
  using client = new RawClient(path)
  await client.take(18)
  client.send(uint32(3))
  for (const [what, bytes, type] of options) {
    client.send(bytes, optionOf(8))
    t.equal((await client.answer()).type, type, what)
    t.equal((await client.answer()).type, 1, `and after ${what}`)
    // structured replies are agreed on now: a new client for what is refused without them
    if (what.startsWith('a megabyte')) break
  }
})

t.test('each of these options alone', async t => {
  const { path } = await serve(t)
  for (const [what, bytes, type] of options) {
    using client = new RawClient(path)
    await client.take(18)
    client.send(uint32(3), bytes)
    t.equal((await client.answer()).type, type, what)
  }
})

t.test('options of more than 4 KiB are served', async t => {
  const { path } = await serve(t)
  using client = new RawClient(path)
  await client.take(18)
  client.send(uint32(3), optionOf(8))
  t.equal((await client.answer()).type, 1)
  const queries = Array.from({ length: 500 }, (_, index) => `qemu:dirty-bitmap:bitmap-${index}`)
  const texts = ['', ...queries, 'base:allocation'].flatMap(text => [uint32(text.length), Buffer.from(text)])
  client.send(optionOf(10, Buffer.concat([...texts.slice(0, 2), uint32(queries.length + 1), ...texts.slice(2)])))
  t.match(await client.answer(), { type: 4, data: Buffer.concat([uint32(1), Buffer.from('base:allocation')]) })
  t.equal((await client.answer()).type, 1)
  client.send(optionOf(6, asking('', 6000)))
  let type: number
  for (type = 3; type === 3; ) type = (await client.answer()).type
  t.equal(type, 1)
})

t.test('a long READ is one piece, with DF too: no EOVERFLOW', async t => {
  const { path } = await serve(t, {}, new MemoryBackend(64 * mebibyte))
  using client = new RawClient(path)
  await client.take(18)
  client.send(uint32(3), optionOf(8), optionOf(7, named('')))
  t.equal((await client.answer()).type, 1)
  for (let type = 3; type === 3; ) type = (await client.answer()).type
  client.send(requestOf(0, 5, 32 * mebibyte, 4))
  const header = await client.take(28)
  t.equal(header.readUInt16BE(4), 1, 'the last chunk')
  t.equal(header.readUInt16BE(6), 1, 'data')
  t.equal(header.readUInt32BE(16), 8 + 32 * mebibyte)
  t.equal((await client.take(32 * mebibyte)).length, 32 * mebibyte)
})

/** Takes no end of requests and answers none, until it is told to. */
class SlowBackend extends MemoryBackend {
  underWay = 0
  #resolve!: () => void
  readonly #go = new Promise<void>(resolve => {
    this.#resolve = resolve
  })

  override readonly readInto = undefined as never

  override read(_offset: number, length: number): never {
    this.underWay += length
    return this.#go.then(() => new Uint8Array(length)) as never
  }

  override write(_offset: number, data: Uint8Array): never {
    this.underWay += data.length
    return this.#go as never
  }

  go(): void {
    this.#resolve()
  }
}

for (const [what, kind, size] of [
  ['writes', 1, mebibyte],
  ['writes of the maximum', 1, 32 * mebibyte],
  ['reads', 0, mebibyte],
  ['reads of the maximum', 0, 32 * mebibyte],
] as const)
  t.test(`of a client 32 MiB are under way at most: ${what}`, async t => {
    const backend = new SlowBackend(64 * mebibyte)
    const { path } = await serve(t, {}, backend)
    using client = new RawClient(path)
    await client.enter()
    const count = (192 * mebibyte) / size
    const data = Buffer.alloc(kind === 1 ? size : 0)
    let isTaken = false
    for (let number = 0; number < count; number++) {
      client.socket.write(requestOf(kind, 0, size))
      client.socket.write(data, () => {
        if (number === count - 1) isTaken = true
      })
    }
    await eventually('as much is under way as may be', () => backend.underWay >= 32 * mebibyte)
    // while others are served, no more of it is
    for (let turn = 0; turn < 50; turn++) {
      using other = new RawClient(path)
      await other.enter('ro')
    }
    t.equal(backend.underWay, 32 * mebibyte, 'under way')
    if (kind === 1) t.notOk(isTaken, 'the rest waits in its own memory')
    backend.go()
    for (let number = 0; number < count; number++) {
      t.equal((await client.reply()).error, 0)
      if (kind === 0) await client.take(size)
    }
  })

const garbage = [
  ['unknown client flags', uint32(0xffff_ffff)],
  ['an option of another magic', Buffer.concat([uint32(3), Buffer.from('IHAVENOT'), Buffer.alloc(8)])],
  ['EXPORT_NAME of an unknown export', Buffer.concat([uint32(3), optionOf(1, Buffer.from('nobody'))])],
  ['EXPORT_NAME of 2^32 - 1 bytes', Buffer.concat([uint32(3), optionOf(1, undefined, 0xffff_ffff)])],
  ['a request of another magic', Buffer.concat([uint32(3), optionOf(7, named('')), Buffer.alloc(28)])],
] as const

t.test('garbage ends the connection', async t => {
  const { path, server } = await serve(t)
  for (const [what, bytes] of garbage) {
    using client = new RawClient(path)
    client.send(bytes)
    await client.ended
    t.pass(what)
  }
  t.equal(server.connections, 0)
})

t.test('whatever bytes come, another client is served', async t => {
  const { path } = await serve(t)
  await using good = await connectNbd({ path })
  const bytes = fc.uint8Array({ maxLength: 200 })
  const nearly = fc
    .tuple(fc.nat(8), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(100_000), fc.nat(0xffff))
    .map(([kind, offset, length, flags]) => requestOf(kind, offset, length, flags))
  const anything = fc.array(
    fc.oneof(
      bytes,
      nearly,
      fc.nat(12).map(kind => optionOf(kind)),
    ),
    { maxLength: 12 },
  )
  await holdsAsync(
    t,
    fc.asyncProperty(anything, fc.boolean(), async (parts, enters) => {
      using bad = new RawClient(path)
      if (enters) await bad.enter()
      else bad.send(uint32(3))
      for (const part of parts) bad.send(part)
      bad.socket.end()
      const data = Uint8Array.of(1, 2, 3)
      await good.write(mebibyte - 3, data)
      assert.deepEqual(Uint8Array.from(await good.read(mebibyte - 3, 3)), data)
    }),
    { numRuns: 300 },
  )
})

t.test('who never reads takes bounded memory, and hurts nobody', async t => {
  const { path } = await serve(t, {}, new MemoryBackend(64 * mebibyte))
  using greedy = new RawClient(path)
  await greedy.enter()
  greedy.socket.pause()
  const before = process.memoryUsage()
  // 20,000 reads of 32 MiB: 640 GB, if they were all answered at once
  const many = Buffer.concat(Array.from({ length: 20_000 }, () => requestOf(0, 0, 32 * mebibyte)))
  greedy.send(many)
  await using good = await connectNbd({ path })
  for (let index = 0; index < 50; index++) await good.write(0, Buffer.alloc(1000, index))
  const after = process.memoryUsage()
  t.ok(after.rss - before.rss < 400 * mebibyte, `${(after.rss - before.rss) / mebibyte} MiB more`)
})

t.test('single bytes of a large write take no buffer each', async t => {
  const { path } = await serve(t, {}, new MemoryBackend(64 * mebibyte))
  using client = new RawClient(path)
  await client.enter()
  const data = Buffer.alloc(100_000, 7)
  client.send(requestOf(1, 5, data.length))
  for (let at = 0; at < data.length; at += 97) client.socket.write(data.subarray(at, at + 97))
  t.equal((await client.reply()).error, 0)
  await using good = await connectNbd({ path })
  t.ok(Buffer.from(await good.read(5, data.length)).equals(data))
})

t.test('who chooses no export is let go, and too many are not taken', async t => {
  const { path, server } = await serve(t, { handshakeTimeout: 50, maxConnections: 2 })
  using silent = new RawClient(path)
  using second = new RawClient(path)
  await silent.take(18)
  await second.take(18)
  using third = new RawClient(path)
  t.equal((await third.take(18)).length, 0, 'a third is closed')
  await silent.ended
  await second.ended
  t.equal(server.connections, 0)
})
