import assert from 'node:assert'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { type Duplex, openXenstore, type Xenstore, XenstoreError } from 'xenlight/xenstore'
import { nextRequestId } from '#xenlight/xenstore/request-id.js'
import { holdsAsync } from '../support/holds.js'
import { FakeDaemon, outcome, packet, settle, silent } from './fake-daemon.js'

t.test('no more in flight than allowed, the others in the order called', async t => {
  const { daemon, store } = silent({ maxInFlight: 3 })
  const reads = Array.from({ length: 10 }, (_, index) => store.read(`/${index}`))
  t.match(store.statistics, { requests: 3, inFlight: 3, queued: 7 })
  for (let index = 0; index < 10; index++) {
    t.equal(daemon.received.length, Math.min(index + 3, 10))
    daemon.answer(daemon.received[index]!, `value ${index}`)
  }
  t.strictSame(
    await Promise.all(reads),
    reads.map((_, index) => `value ${index}`),
  )
  t.strictSame(
    daemon.received.map(({ text }) => text),
    reads.map((_, index) => `/${index}\0`),
  )
  t.match(store.statistics, { requests: 10, inFlight: 0, queued: 0, late: 0 })
})

t.test('answers in any order find their requests', async t => {
  const { daemon, store } = silent()
  const reads = Array.from({ length: 20 }, (_, index) => store.read(`/${index}`))
  for (const request of daemon.received.toReversed()) daemon.answer(request, request.text)
  t.strictSame(
    await Promise.all(reads),
    reads.map((_, index) => `/${index}\0`),
  )
})

t.test('a request given up keeps its place until its late answer, which nobody gets', async t => {
  const { daemon, store } = silent({ maxInFlight: 2 })
  const controller = new AbortController()
  const given = store.read('/given-up', { signal: controller.signal })
  const timed = store.read('/timed', { timeout: 1 })
  const queuedAndGiven = store.read('/never', { signal: controller.signal })
  const queued = store.read('/queued')
  await t.rejects(timed, {
    code: 'ETIMEDOUT',
    message: 'READ /timed: ETIMEDOUT (not done within 1 ms)',
    operation: 'READ',
    path: '/timed',
  })
  controller.abort('enough')
  await t.rejects(given, { code: 'ECANCELED', path: '/given-up', cause: 'enough' })
  await t.rejects(queuedAndGiven, { code: 'ECANCELED', path: '/never', cause: 'enough' })
  t.match(store.statistics, { requests: 2, inFlight: 2, queued: 1, late: 0 })
  daemon.answer(daemon.received[0]!, 'late')
  daemon.refuse(daemon.received[1]!, 'ENOENT')
  t.match(store.statistics, { requests: 3, inFlight: 1, queued: 0, late: 2 })
  daemon.answer(daemon.received[2]!, 'in time')
  t.equal(await queued, 'in time')
  t.strictSame(
    daemon.received.map(({ text }) => text),
    ['/given-up\0', '/timed\0', '/queued\0'],
  )
})

t.test('a signal aborted before, a timeout for all requests, one for ever', async t => {
  const { daemon, store } = silent({ timeout: 1 })
  await t.rejects(store.read('/a', { signal: AbortSignal.abort() }), { code: 'ECANCELED' })
  t.equal(daemon.received.length, 0)
  const patient = store.read('/a', { timeout: Number.POSITIVE_INFINITY })
  await t.rejects(store.write('/a', ''), { code: 'ETIMEDOUT', operation: 'WRITE' })
  daemon.answer(daemon.received[0]!, 'x')
  t.equal(await patient, 'x')
})

t.test('one signal for very many', async t => {
  const { daemon, store } = silent({ maxInFlight: 10 })
  const controller = new AbortController()
  const { signal } = controller
  const outcomes = Array.from({ length: 30_000 }, () => outcome(store.read('/a', { signal, timeout: 1e6 })))
  daemon.answer(daemon.received[0]!, 'x')
  controller.abort()
  t.strictSame(new Set(await Promise.all(outcomes)), new Set(['"x"', 'ECANCELED']))
  t.match(store.statistics, { requests: 11, inFlight: 10, queued: 0 })
})

t.test('leaving the queue anywhere shifts nothing', async t => {
  await holdsAsync(
    t,
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      async (keep, maxInFlight) => {
        const { daemon, store } = silent({ maxInFlight })
        const controllers = keep.map(() => new AbortController())
        const outcomes = keep.map((_, index) =>
          outcome(store.read(`/${index}`, { signal: controllers[index]!.signal })),
        )
        for (const [index, kept] of keep.entries()) if (!kept) controllers[index]!.abort()
        for (let index = 0; index < daemon.received.length; index++) {
          daemon.answer(daemon.received[index]!, daemon.received[index]!.text.slice(0, -1))
        }
        assert.deepStrictEqual(
          await Promise.all(outcomes),
          keep.map((kept, index) => (kept ? `"/${index}"` : 'ECANCELED')),
        )
        const given = keep.slice(0, maxInFlight).filter(kept => !kept).length
        const { inFlight, queued, late, requests } = store.statistics
        assert.deepStrictEqual({ inFlight, queued, late }, { inFlight: 0, queued: 0, late: given })
        assert.strictEqual(requests, keep.filter(Boolean).length + given)
      },
    ),
  )
})

t.test('numbers for requests', async t => {
  const taken = new Set([1, 2, 4, 0xffff_ffff])
  t.equal(nextRequestId(0, taken), 3)
  t.equal(nextRequestId(3, taken), 5)
  t.equal(nextRequestId(0xffff_fffd, taken), 0xffff_fffe)
  t.equal(nextRequestId(0xffff_fffe, taken), 3)
})

/** What a daemon may send to a read with request id 1, and a watch with token 1 and id 2. */
const garbage: [name: string, bytes: Buffer][] = [
  ['an answer to nothing', packet(2, 77, 0, 'x')],
  ['an answer with id 0', packet(2, 0, 0, 'x')],
  ['an error to nothing', packet(16, 77, 0, 'ENOENT\0')],
  ['an answer of another type', packet(11, 1, 0, 'OK\0')],
  ['an answer of an unknown type', packet(99, 1, 0, 'x')],
  ['an oversized length', packet(2, 1, 0, 'x'.repeat(4097))],
  ['an enormous length', Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255])],
  ['an error without a name', packet(16, 1, 0, '\0')],
  ['an error that is none', packet(16, 1, 0, 'no such thing\0')],
  ['an error of two', packet(16, 1, 0, 'ENOENT\0EACCES\0')],
  ['an acknowledgement that is none', packet(4, 2, 0, 'NO\0')],
  ['an event without a token', packet(15, 0, 0, '/a\0')],
  ['an event without anything', packet(15, 0, 0, '')],
  ['an event with too much', packet(15, 0, 0, '/a\x001\0x\0')],
  ['an event for a token never given', packet(15, 0, 0, '/a\x002\0')],
  ['an event for a token of no kind', packet(15, 0, 0, '/a\0__proto__\0')],
  ['noise', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
]

t.test('whatever is not the protocol ends everything, with the cause', async t => {
  for (const [name, bytes] of garbage) {
    const { daemon, store } = silent({ maxInFlight: 2 })
    const pending = [store.read('/a'), store.watch('/a').next(), store.mkdir('/queued')]
    const outcomes = Promise.allSettled(pending)
    daemon.send(bytes)
    for (const [index, result] of (await outcomes).entries()) {
      t.match(result, { status: 'rejected', reason: { name: 'XenstoreError', code: 'EPROTO' } }, name)
      const { cause, message, path } = (result as PromiseRejectedResult).reason
      t.equal(cause, await store.closed)
      t.match(message, /(READ|WATCH|MKDIR) \/\w+: EPROTO \(the daemon does not keep to the protocol: /)
      t.equal(path, ['/a', '/a', '/queued'][index])
    }
    t.equal(daemon.closed, true)
    t.match(await store.closed, { code: 'EPROTO' })
    await t.rejects(store.read('/b'), { code: 'EPROTO', path: '/b' })
    t.match(store.statistics, { inFlight: 0, queued: 0, watches: 0, transactions: 0 })
    await store.close()
  }
})

const malformed: [call: (store: Xenstore) => Promise<unknown>, answer: string][] = [
  [s => s.write('/a', ''), ''],
  [s => s.rm('/a'), 'OK\0\0'],
  [s => s.mkdir('/a'), 'ENOENT\0'],
  [s => s.getPermissions('/a'), ''],
  [s => s.getPermissions('/a'), 'x0\0'],
  [s => s.getPermissions('/a'), 'r70000\0'],
  [s => s.isIntroduced(1), 'Y\0'],
  [s => s.isIntroduced(1), ''],
  [s => s.getDomainPath(1), '/a\0/b\0'],
  [s => s.transaction(() => {}), 'x\0'],
  [s => s.transaction(() => {}), ''],
  [s => s.transaction(() => {}), '4294967296\0'],
  [s => s.getFeature(1), '-1\0'],
  [s => s.getQuota('a'), '0x10\0'],
]

t.test('an oversized answer is named', async t => {
  const { daemon, store } = silent()
  const promise = store.directory('/many')
  promise.catch(() => {})
  daemon.send(packet(1, daemon.received[0]!.id, 0, 'child\0'.repeat(1000)))
  await t.rejects(promise, {
    code: 'EPROTO',
    message: /a packet of 6000 bytes \(at most 4096\) in answer to DIRECTORY/,
  })
})

t.test('so does an answer that the request cannot have', async t => {
  for (const [call, answer] of malformed) {
    const { daemon, store } = silent()
    const promise = call(store)
    promise.catch(() => {})
    daemon.answer(daemon.received[0]!, answer)
    await t.rejects(promise, { code: 'EPROTO' }, JSON.stringify(answer))
    t.match(await store.closed, { code: 'EPROTO' })
  }
})

t.test('garbage of any kind: nothing hangs, nothing but a XenstoreError', async t => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 4 }), fc.string({ maxLength: 20 }))
      .map(([type, id, text]) => new Uint8Array(packet(type, id, 0, text))),
  )
  await holdsAsync(
    t,
    fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), async pieces => {
      const { daemon, store } = silent()
      const pending = [store.read('/a'), store.watch('/w').next(), store.transaction(() => {}), store.directory('/d')]
      const all = Promise.allSettled(pending)
      for (const piece of pieces) daemon.send(piece)
      await Promise.resolve()
      daemon.hangUp()
      for (const result of await all) {
        if (result.status === 'rejected') assert.ok(result.reason instanceof XenstoreError, String(result.reason))
      }
      await store.closed
      const { inFlight, queued, watches, transactions } = store.statistics
      assert.deepStrictEqual([inFlight, queued, watches, transactions], [0, 0, 0, 0])
    }),
  )
})

t.test('the daemon goes', async t => {
  const cut = packet(2, 1, 0, 'value').subarray(0, 18)
  const ends: [act: (daemon: FakeDaemon) => void, message: RegExp, cause: RegExp | undefined][] = [
    [daemon => daemon.hangUp(), /the daemon closed the connection\)$/, undefined],
    [
      daemon => {
        daemon.send(cut)
        daemon.hangUp()
      },
      /in the middle of a packet \(after 18 bytes of it\)\)$/,
      undefined,
    ],
    [daemon => daemon.hangUp(new Error('broken pipe')), /closed the connection: broken pipe\)$/, /broken pipe/],
  ]
  for (const [act, message, cause] of ends) {
    const { daemon, store } = silent({ maxInFlight: 1 })
    const pending = [store.read('/a'), store.write('/b', ''), store.watch('/c').next()]
    const all = Promise.allSettled(pending)
    act(daemon)
    for (const result of await all) {
      t.match(result, { status: 'rejected', reason: { code: 'ECONNRESET', message } })
      t.equal((result as PromiseRejectedResult).reason.cause, await store.closed)
    }
    t.match(await store.closed, { code: 'ECONNRESET' })
    if (cause !== undefined) t.match((await store.closed)?.cause, { message: cause })
    await t.rejects(store.read('/a'), { code: 'ECONNRESET' })
  }
})

t.test('closing', async t => {
  const { daemon, store } = silent({ maxInFlight: 1 })
  const pending = [store.read('/a'), store.write('/b', ''), store.watch('/c').next(), store.transaction(() => {})]
  const all = Promise.allSettled(pending)
  await store.close()
  for (const result of await all) t.match(result, { status: 'rejected', reason: { code: 'EBADF' } })
  t.equal(daemon.closed, true)
  t.equal(await store.closed, undefined)
  await t.rejects(store.read('/a'), { code: 'EBADF', message: 'READ /a: EBADF (the connection was closed)' })
  await t.rejects(store.watch('/a').ready, { code: 'EBADF' })
  await t.rejects(
    store.transaction(() => {}),
    { code: 'EBADF' },
  )
  await store.close()
  await store[Symbol.asyncDispose]()
})

/** A session, all that comes back in it, and what it comes to. */
async function session(pieces: (bytes: Buffer) => Uint8Array[]): Promise<unknown> {
  const { daemon, store } = silent()
  const watch = store.watch('/w')
  const results = [
    outcome(store.read('/a')),
    outcome(store.read('/none')),
    outcome(store.directory('/d')),
    outcome(store.getPermissions('/a')),
    outcome(watch.next()),
    outcome(watch.ready),
  ]
  const [watched, read, none, directory, permissions] = daemon.received
  const bytes = Buffer.concat([
    packet(4, watched!.id, 0, 'OK\0'),
    packet(15, 0, 0, '/w\x001\0'),
    packet(16, none!.id, 0, 'ENOENT\0'),
    packet(2, read!.id, 0, 'v\xc3\xa4lue'),
    packet(1, directory!.id, 0, 'x\0y\0'),
    packet(3, permissions!.id, 0, 'n0\0r1\0'),
  ])
  for (const piece of pieces(bytes)) {
    // as it may be reused once it was taken
    const own = Buffer.from(piece)
    daemon.send(own)
    own.fill(0xff)
  }
  const all = await Promise.all(results)
  await store.close()
  return all
}

t.test('wherever the bytes are cut, the same comes of them', async t => {
  const whole = await session(bytes => [bytes])
  t.strictSame(whole, [
    '"v\u00e4lue"',
    'ENOENT',
    '["x","y"]',
    '[{"domid":0,"access":"none"},{"domid":1,"access":"read"}]',
    '{"done":false,"value":{"path":"/w","overflowed":false}}',
    'done',
  ])
  let length = 0
  await session(bytes => {
    length = bytes.length
    return [bytes]
  })
  for (let at = 0; at <= length; at++) {
    assert.deepStrictEqual(await session(bytes => [bytes.subarray(0, at), bytes.subarray(at)]), whole, `cut at ${at}`)
  }
  assert.deepStrictEqual(await session(bytes => Array.from(bytes, byte => Uint8Array.of(byte))), whole)
  t.pass(`${length} cuts`)
})

t.test('another end that answers at once, in the middle of what is going on', async t => {
  class Immediate extends FakeDaemon {
    patient = true
    override write(bytes: Uint8Array): void {
      super.write(bytes)
      if (this.patient) return
      const request = this.received.at(-1)!
      this.answer(request, request.type === 6 ? '7\0' : request.type === 2 ? request.text : 'OK\0')
    }
  }
  const daemon = new Immediate()
  const store = openXenstore(daemon, { maxInFlight: 2 })
  const reads = Array.from({ length: 20_000 }, (_, index) => store.read(`/${index}`))
  daemon.patient = false
  for (const request of daemon.received.slice(0, 2)) daemon.answer(request, request.text)
  t.strictSame(
    await Promise.all(reads),
    reads.map((_, index) => `/${index}\0`),
  )
  t.match(await store.transaction(tx => tx.read('/a')), { value: '/a\0', attempts: 1 })
  await settle()
  t.match(store.statistics, { inFlight: 0, queued: 0 })
})

t.test('another end that is over before anything was asked', async t => {
  const daemon: Duplex = { start: reader => reader.end(new Error('gone')), write: () => {}, close: () => {} }
  const store = openXenstore(daemon)
  t.match(await store.closed, { code: 'ECONNRESET', message: /gone/ })
  t.equal(await outcome(store.read('/a')), 'ECONNRESET')
})
