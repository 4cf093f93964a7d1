import fc from 'fast-check'
import t from 'tap'
import { openNbd } from 'xenlight/nbd'
import type { Duplex, DuplexReader } from '#xenlight/link/duplex.js'
import { holdsAsync } from '../support/holds.js'
import { optionOf, uint16, uint32 } from './raw-client.js'

const size = 1000
const uint64 = (value: number) => Buffer.concat([uint32(0), uint32(value)])
const reply = (option: number, type: number, data: Uint8Array = new Uint8Array()) =>
  Buffer.concat([Buffer.from('0003e889045565a9', 'hex'), uint32(option), uint32(type), uint32(data.length), data])
const chunk = (cookie: number, type: number, data: Uint8Array, flags = 0) =>
  Buffer.concat([
    Buffer.from('668e33ef', 'hex'),
    uint16(flags),
    uint16(type),
    uint64(cookie),
    uint32(data.length),
    data,
  ])
const data = (cookie: number, offset: number, length: number, flags = 0) =>
  chunk(cookie, 1, Buffer.concat([uint64(offset), Buffer.alloc(length, 1)]), flags)
const simple = (cookie: number, error: number) =>
  Buffer.concat([Buffer.from('67446698', 'hex'), uint32(error), uint64(cookie)])
const done = (cookie: number) => chunk(cookie, 0, Buffer.alloc(0), 1)
const greeting = Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), uint16(3)])
/** Structured replies, base:allocation, GO. */
const handshakeOf = (size: number, ...more: Buffer[]) =>
  Buffer.concat([
    greeting,
    reply(8, 1),
    reply(10, 4, Buffer.concat([uint32(5), Buffer.from('base:allocation')])),
    reply(10, 1),
    reply(7, 3, Buffer.concat([uint16(0), uint64(size), uint16(0x1ff)])),
    ...more,
    reply(7, 1),
  ])
const blockSizes = (...sizes: readonly number[]) => reply(7, 3, Buffer.concat([uint16(3), ...sizes.map(uint32)]))

/** A server that says what it is told to, whatever it is asked. */
class Saying implements Duplex {
  closed = false
  #reader!: DuplexReader

  start(reader: DuplexReader): void {
    this.#reader = reader
  }

  /** What it was asked. */
  readonly heard: Uint8Array[] = []

  write(message: Uint8Array): void {
    this.heard.push(message)
  }

  async asked(count: number): Promise<void> {
    while (this.heard.length < count) await new Promise(setImmediate)
  }

  say(bytes: Uint8Array): void {
    if (!this.closed) this.#reader.data(bytes)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    queueMicrotask(() => this.#reader.end())
  }
}

async function connected(handshake = handshakeOf(size)) {
  const server = new Saying()
  const opened = openNbd(server)
  server.say(handshake)
  return { server, client: await opened }
}

const lies: [string, Buffer][] = [
  ['another magic', Buffer.alloc(16)],
  ['another cookie', data(7, 100, 50, 1)],
  ['a cookie of 2^64 - 1', Buffer.from('668e33ef00010000ffffffffffffffff00000000', 'hex')],
  ['data before the request', data(1, 99, 10)],
  ['data behind the request', data(1, 149, 2)],
  ['more data than was asked', data(1, 100, 51)],
  ['data twice', Buffer.concat([data(1, 100, 20), data(1, 110, 20)])],
  ['a hole over data', Buffer.concat([data(1, 100, 20), chunk(1, 2, Buffer.concat([uint64(110), uint32(5)]))])],
  ['a hole of 4 GiB', chunk(1, 2, Buffer.concat([uint64(100), uint32(0xffff_ffff)]))],
  ['a hole of no bytes', chunk(1, 2, Buffer.concat([uint64(100), uint32(0)]))],
  ['an end before all data', Buffer.concat([data(1, 100, 49), done(1)])],
  ['an end that is not done', chunk(1, 0, Buffer.alloc(0))],
  ['a chunk of 4 GiB', Buffer.concat([Buffer.from('668e33ef00000001', 'hex'), uint64(1), uint32(0xffff_ffff)])],
  ['a chunk of unknown type', chunk(1, 77, Buffer.alloc(10), 1)],
  ['a status that nobody asked', chunk(1, 5, Buffer.alloc(12), 1)],
  ['an error without number', chunk(1, 0x8001, Buffer.alloc(6), 1)],
  ['an error longer than its chunk', chunk(1, 0x8001, Buffer.concat([uint32(5), uint16(99)]), 1)],
  ['an error elsewhere', chunk(1, 0x8002, Buffer.concat([uint32(5), uint16(0), uint64(999)]), 1)],
  ['a simple reply to a read', Buffer.concat([Buffer.from('67446698', 'hex'), uint32(0), uint64(1), Buffer.alloc(50)])],
]

t.test('a server that lies ends with EPROTO', async t => {
  for (const [what, bytes] of lies) {
    const { server, client } = await connected()
    const read = client.read(100, 50)
    server.say(bytes)
    await t.rejects(read, { name: 'NbdError', code: 'EPROTO' }, what)
    t.match(await client.closed, { code: 'EPROTO' })
    t.ok(server.closed)
  }
})

t.test('what a server may do', async t => {
  const { server, client } = await connected()
  const first = client.read(100, 50)
  server.say(data(1, 100, 50, 0xffff))
  t.ok(Buffer.from(await first).equals(Buffer.alloc(50, 1)), 'flags that are unknown')
  const refused = client.blockStatus(0, 10)
  server.say(simple(2, 22))
  await t.rejects(refused, { code: 'EINVAL', message: /the server answers/ }, 'a simple error for a status')
  const read = client.read(100, 50)
  server.say(Buffer.concat([data(3, 120, 30), chunk(3, 2, Buffer.concat([uint64(100), uint32(20)])), done(3)]))
  t.ok(Buffer.from(await read).equals(Buffer.concat([Buffer.alloc(20), Buffer.alloc(30, 1)])), 'pieces in any order')
  const failed = client.read(0, 10)
  server.say(
    Buffer.concat([
      chunk(4, 0x8002, Buffer.concat([uint32(28), uint16(3), Buffer.from('no\x1b'), uint64(4)])),
      done(4),
    ]),
  )
  await t.rejects(failed, { code: 'ENOSPC', message: /no␛/ }, 'an error among the chunks')
  const status = client.blockStatus(10, 20)
  server.say(chunk(5, 5, Buffer.concat([uint32(5), uint32(8), uint32(3)]), 1))
  // flags, three options and five requests before it
  await server.asked(10)
  server.say(chunk(6, 5, Buffer.concat([uint32(5), uint32(100), uint32(0)]), 1))
  t.strictSame(await status, [
    { length: 8, hole: true, zero: true },
    { length: 12, hole: false, zero: false },
  ])
})

const greetings: [string, Buffer, string][] = [
  ['another greeting', Buffer.alloc(18, 1), 'EPROTO'],
  ['an old server', Buffer.concat([Buffer.from('NBDMAGIC'), Buffer.alloc(10)]), 'EPROTO'],
  ['no fixed newstyle', Buffer.concat([Buffer.from('NBDMAGICIHAVEOPT'), uint16(0)]), 'EPROTO'],
  ['an answer to another option', Buffer.concat([greeting, reply(3, 1)]), 'EPROTO'],
  ['an answer of 4 GiB', Buffer.concat([greeting, reply(8, 1).subarray(0, 16), uint32(0xffff_ffff)]), 'EPROTO'],
  ['no size', Buffer.concat([greeting, reply(8, 0x8000_0001), reply(7, 1)]), 'EPROTO'],
  [
    'infos without end',
    Buffer.concat([greeting, reply(8, 0x8000_0001), ...Array(100).fill(reply(7, 3, uint16(9)))]),
    'EPROTO',
  ],
  ['a refusal', Buffer.concat([greeting, reply(8, 0x8000_0001), reply(7, 0x8000_0006)]), 'refused'],
]

t.test('a handshake that is none', async t => {
  for (const [what, bytes, code] of greetings) {
    const server = new Saying()
    const opened = openNbd(server)
    server.say(bytes)
    await t.rejects(opened, { name: 'NbdError', code }, what)
    t.ok(server.closed, what)
  }
  await t.rejects(openNbd(new Saying(), { timeout: 20 }), { code: 'ETIMEDOUT' }, 'silence')
})

for (const sizes of [
  [3, 4096, 4096],
  [131_072, 131_072, 131_072],
  [1, 1, 1],
  [1, 256, 4096],
  [1, 1000, 4096],
  [4096, 512, 4096],
  [1, 4096, 512],
  [512, 512, 1000],
] as const)
  t.test(`block sizes that there cannot be: ${sizes}`, async t => {
    await t.rejects(connected(handshakeOf(size, blockSizes(...sizes))), { name: 'NbdError', code: 'EPROTO' })
  })

t.test('of a server with small blocks no more is asked after one request that failed', async t => {
  const { server, client } = await connected(handshakeOf(1024 * 1024, blockSizes(1, 512, 512)))
  const before = server.heard.length
  const written = client.write(0, Buffer.alloc(1024 * 1024))
  t.equal(server.heard.length - before, 64, 'so many at a time')
  for (let cookie = 1; cookie <= 64; cookie++) server.say(simple(cookie, cookie === 1 ? 28 : 0))
  await t.rejects(written, { code: 'ENOSPC' })
  t.equal(server.heard.length - before, 64)
})

t.test('what is no multiple of the minimum is not asked', async t => {
  const { server, client } = await connected(handshakeOf(size, blockSizes(512, 512, 0xffff_ffff)))
  const before = server.heard.length
  for (const ask of [
    () => client.read(1, 512),
    () => client.read(0, 100),
    () => client.write(0, Buffer.alloc(5)),
    () => client.trim(0, 5),
    () => client.writeZeroes(5, 512),
    () => client.blockStatus(5, 512),
  ])
    await t.rejects(async () => ask(), { name: 'NbdError', code: 'EINVAL' })
  t.equal(server.heard.length, before)
})

t.test('a write that was given up sends the bytes that it was asked to', async t => {
  const { server, client } = await connected(handshakeOf(1024 * 1024))
  const bytes = Buffer.alloc(512 * 1024, 1)
  for (const limits of [{ signal: AbortSignal.abort() }, { timeout: 1 }]) {
    const canceler = new AbortController()
    const before = server.heard.length
    const written = client.write(0, bytes, 'signal' in limits ? { signal: canceler.signal } : limits)
    canceler.abort()
    await t.rejects(written)
    // the caller's again
    bytes.fill(2)
    t.ok(
      Buffer.concat(server.heard.slice(before))
        .subarray(28)
        .equals(Buffer.alloc(512 * 1024, 1)),
    )
    bytes.fill(1)
  }
})

/** Answers each question about a status with as many extents as it is told to, a byte each. */
async function answerStatus(server: Saying, asked: () => boolean, count: number): Promise<number> {
  const extents = Buffer.alloc(4 + 8 * count)
  extents.writeUInt32BE(5)
  for (let index = 0; index < count; index++) {
    extents.writeUInt32BE(1, 4 + 8 * index)
    extents.writeUInt32BE(index % 2, 8 + 8 * index)
  }
  let answered = 0
  for (const before = server.heard.length; asked(); ) {
    await server.asked(before + answered)
    server.say(chunk(++answered, 5, extents, 1))
    await new Promise(setImmediate)
  }
  return answered
}

t.test('the time for a status is for all its requests, and its extents are bounded', async t => {
  for (const [count, limits, code] of [
    [1, { timeout: 50 }, 'ETIMEDOUT'],
    [100_000, {}, 'EPROTO'],
  ] as const) {
    const { server, client } = await connected(handshakeOf(1024 ** 3))
    let isOver = false
    const status = client.blockStatus(0, 1024 ** 3, limits).finally(() => {
      isOver = true
    })
    const over = t.rejects(status, { name: 'NbdError', code, message: code === 'ETIMEDOUT' ? /within 50 ms/ : /parts/ })
    const answered = await answerStatus(server, () => !isOver, count)
    await over
    t.ok(answered > 1)
  }
})

const lastKind = ({ heard }: Saying) => Buffer.from(heard.at(-1)!).readUInt16BE(6)

t.test('a server that shuts down is left, and nothing more is asked of it', async t => {
  const { server, client } = await connected()
  const [one, other] = [client.write(0, Buffer.alloc(1)), client.flush()]
  server.say(simple(1, 108))
  await t.rejects(one, { code: 'ESHUTDOWN' })
  await t.rejects(client.flush(), { code: 'ESHUTDOWN' }, 'a new one')
  t.equal(lastKind(server), 3)
  server.say(simple(2, 0))
  await other
  await new Promise(setImmediate)
  t.equal(lastKind(server), 2, 'DISC, once all is answered')
  server.close()
  t.match(await client.closed, { code: 'ESHUTDOWN' })
  await client.disconnect()
})

t.test('a handshake that was refused ends with ABORT', async t => {
  const server = new Saying()
  const opened = openNbd(server)
  server.say(Buffer.concat([greeting, reply(8, 0x8000_0001), reply(7, 0x8000_0006)]))
  await t.rejects(opened, { code: 'refused' })
  t.ok(Buffer.from(server.heard.at(-1)!).equals(optionOf(2)))
})

t.test('disconnect: more than once, and after a call of several requests', async t => {
  const { server, client } = await connected()
  const status = client.blockStatus(0, 20)
  const left = [client.disconnect(), client.disconnect()]
  await t.rejects(client.flush(), { code: 'EBADF' }, 'nothing new')
  for (const cookie of [1, 2]) {
    t.equal(lastKind(server), 7)
    server.say(chunk(cookie, 5, Buffer.concat([uint32(5), uint32(10), uint32(0)]), 1))
    await new Promise(setImmediate)
  }
  t.strictSame(await status, [{ length: 20, hole: false, zero: false }])
  t.equal(lastKind(server), 2)
  server.close()
  await Promise.all([...left, client.disconnect()])
  t.equal(await client.closed, undefined)
})

t.test('whatever bytes come, every request settles once the server is gone', async t => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.nat(4), fc.constantFrom(0, 1, 2, 5, 0x8001, 0x8002), fc.uint8Array({ maxLength: 40 }), fc.nat(1))
      .map(([cookie, type, bytes, flags]) => chunk(cookie, type, bytes, flags)),
    fc.tuple(fc.nat(3), fc.nat(size), fc.nat(60), fc.nat(1)).map(([cookie, ...rest]) => data(cookie, ...rest)),
  )
  await holdsAsync(
    t,
    fc.asyncProperty(fc.array(piece, { maxLength: 10 }), async pieces => {
      const { server, client } = await connected()
      const asked = [client.read(100, 50), client.write(0, Buffer.alloc(5)), client.blockStatus(0, 10)]
      for (const bytes of pieces) server.say(bytes)
      server.close()
      await Promise.allSettled(asked)
      await client.closed
    }),
    { numRuns: 500 },
  )
})
