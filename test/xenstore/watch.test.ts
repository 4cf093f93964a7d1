import { EventEmitter } from 'node:events'
import t from 'tap'
import type { Watch, WatchEvent } from 'xenlight/xenstore'
import { type FakeDaemon, outcome, settle, silent } from './fake-daemon.js'

const [watchType, unwatchType] = [4, 5]

const sent = (daemon: FakeDaemon, type: number): string[] =>
  daemon.received.filter(request => request.type === type).map(({ text }) => text)

function acknowledge(daemon: FakeDaemon): void {
  for (const request of daemon.received.splice(0)) daemon.answer(request)
}

const changed = (path: string): { done: boolean; value: WatchEvent } => ({
  done: false,
  value: { path, overflowed: false },
})

/** What can be read without waiting. */
async function waiting(watch: Watch): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const result = await Promise.race([watch.next(), settle()])
    if (result === undefined || result.done) return all
    all.push(result.value.path + (result.value.overflowed ? ' (overflowed)' : ''))
  }
}

t.test('events go to the watch of their token, each with a token of its own', async t => {
  const { daemon, store } = silent()
  const [first, second] = [store.watch('/a'), store.watch('/a')]
  t.strictSame(sent(daemon, watchType), ['/a\x001\0', '/a\x002\0'])
  t.equal(store.statistics.watches, 2)
  acknowledge(daemon)
  await Promise.all([first.ready, second.ready])
  daemon.event('/a', '1')
  daemon.event('/a/b', '2')
  daemon.event('/a/c', '2')
  t.strictSame(await first.next(), changed('/a'))
  t.strictSame([await second.next(), await second.next()], [changed('/a/b'), changed('/a/c')])
  const next = first.next()
  daemon.event('/a/d', '1')
  t.strictSame(await next, changed('/a/d'))
})

t.test('every way to leave a watch takes it off the daemon', async t => {
  const ways: [name: string, leave: (watch: Watch, abort: () => void) => Promise<unknown>][] = [
    [
      'break',
      async watch => {
        for await (const _ of watch) break
      },
    ],
    [
      'an error',
      async watch => {
        for await (const _ of watch) throw new Error('thrown')
      },
    ],
    ['return', watch => watch.return()],
    ['dispose', async watch => watch[Symbol.dispose]()],
    ['asyncDispose', async watch => watch[Symbol.asyncDispose]()],
    ['abort', async (_, abort) => abort()],
  ]
  for (const [name, leave] of ways) {
    const { daemon, store } = silent()
    const controller = new AbortController()
    const watch = store.watch('/a', { signal: controller.signal })
    acknowledge(daemon)
    daemon.event('/a', '1')
    await leave(watch, () => controller.abort('enough')).catch(() => {})
    t.strictSame(sent(daemon, unwatchType), ['/a\x001\0'], name)
    t.equal(store.statistics.watches, 0)
    daemon.event('/a/late', '1')
    acknowledge(daemon)
    if (name === 'abort')
      await t.rejects(watch.next(), { code: 'ECANCELED', operation: 'WATCH', path: '/a', cause: 'enough' })
    t.strictSame(await watch.next(), { done: true, value: undefined })
    await watch.return()
    controller.abort()
    await settle()
    t.strictSame(daemon.received, [])
    t.match(store.statistics, { inFlight: 0 })
  }
})

t.test('left before it was taken', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a')
  const reading = watch.next()
  await watch.return()
  t.strictSame(await reading, { done: true, value: undefined })
  await t.rejects(watch.ready, { code: 'EBADF' })
  t.strictSame(
    daemon.received.map(({ type }) => type),
    [watchType, unwatchType],
  )
  const aborted = store.watch('/a', { signal: AbortSignal.abort() })
  await t.rejects(aborted.next(), { code: 'ECANCELED' })
  t.equal(daemon.received.length, 2)
  t.equal(store.statistics.watches, 0)
})

t.test('refused: the reader and `ready` say so', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a')
  const reading = watch.next()
  daemon.refuse(daemon.received[0]!, 'E2BIG')
  const error = { name: 'XenstoreError', code: 'E2BIG', message: 'WATCH /a: E2BIG (too many watches)' }
  await t.rejects(reading, error)
  await t.rejects(watch.ready, error)
  t.strictSame(await watch.next(), { done: true, value: undefined })
  await settle()
  t.equal(daemon.received.length, 1)
  t.equal(store.statistics.watches, 0)
})

t.test('not taken in time, and then late', async t => {
  const { daemon, store } = silent({ timeout: 1 })
  const watch = store.watch('/a')
  await t.rejects(watch.next(), { code: 'ETIMEDOUT', operation: 'WATCH' })
  daemon.answer(daemon.received[0]!)
  t.strictSame(sent(daemon, unwatchType), ['/a\x001\0'])
  t.match(store.statistics, { late: 1, watches: 0 })
})

t.test('the depth is kept to, whatever the daemon does', async t => {
  const cases: [watched: string, depth: number, events: string[], seen: string[]][] = [
    ['/a', 0, ['/a', '/a/b', '/ab'], ['/a', '/ab']],
    ['/a', 1, ['/a', '/a/b', '/a/b/c'], ['/a', '/a/b']],
    ['/a', 2, ['/a/b/c', '/a/b/c/d'], ['/a/b/c']],
    ['/', 1, ['/', '/a', '/a/b'], ['/', '/a']],
    ['rel', 1, ['rel', 'rel/x', 'rel/x/y'], ['rel', 'rel/x']],
    ['@releaseDomain', 0, ['@releaseDomain', '@releaseDomain/5'], ['@releaseDomain', '@releaseDomain/5']],
  ]
  for (const [watched, depth, events, seen] of cases) {
    const { daemon, store } = silent()
    const watch = store.watch(watched, { depth })
    for (const event of events) daemon.event(event, '1')
    t.strictSame(await waiting(watch), seen, watched)
  }
})

t.test('the daemon is told the depth if it takes one, and asked once', async t => {
  for (const answer of ['7\0', '3\0', 'ENOSYS', 'EINVAL', 'lost']) {
    const { daemon, store } = silent()
    const watches = [store.watch('/a', { depth: 0 }), store.watch('/b', { depth: 2 })]
    const left = store.watch('/left', { depth: 1 })
    await left.return()
    t.strictSame(sent(daemon, watchType), [])
    const [ask] = daemon.received.filter(({ type }) => type === 23)
    t.equal(daemon.received.filter(({ type }) => type === 23).length, 1)
    if (answer === 'lost') {
      daemon.hangUp()
      for (const watch of watches) await t.rejects(watch.next(), { code: 'ECONNRESET' })
      await settle()
      continue
    }
    if (answer.startsWith('E')) daemon.refuse(ask!, answer)
    else daemon.answer(ask!, answer)
    await settle()
    const takes = answer === '7\0'
    t.strictSame(sent(daemon, watchType), takes ? ['/a\x001\x000\0', '/b\x002\x002\0'] : ['/a\x001\0', '/b\x002\0'])
    store.watch('/c', { depth: 1 })
    await settle()
    t.equal(sent(daemon, watchType)[2], takes ? '/c\x004\x001\0' : '/c\x004\0')
    t.equal(sent(daemon, 23).length, 1)
  }
})

t.test('changes of one path that were not read yet are one', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a', { capacity: 2 })
  for (let round = 0; round < 3; round++) {
    for (const path of ['/a/1', '/a/2', '/a/1', '/a/2']) daemon.event(path, '1')
    t.strictSame(await waiting(watch), ['/a/1', '/a/2'])
    await settle()
    // what waits in vain above takes the next event
    daemon.event('/a', '1')
  }
})

t.test('more than the buffer holds: one event for all', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a', { capacity: 2 })
  for (const path of ['/a/1', '/a/2', '/a/3', '/a/4', '/a/1']) daemon.event(path, '1')
  t.strictSame(await watch.next(), { done: false, value: { path: '/a', overflowed: true } })
  for (const path of ['/a/3', '/a/1']) daemon.event(path, '1')
  t.strictSame(await waiting(watch), ['/a/3', '/a/1'])
})

t.test('or the end, if it is to fail', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a', { capacity: 2, overflow: 'fail' })
  for (const path of ['/a/1', '/a/2', '/a/1']) daemon.event(path, '1')
  t.equal(store.statistics.watches, 1)
  daemon.event('/a/3', '1')
  t.equal(store.statistics.watches, 0)
  t.strictSame(sent(daemon, unwatchType), ['/a\x001\0'])
  await t.rejects(watch.next(), { code: 'EOVERFLOW', operation: 'WATCH', path: '/a', message: /more than 2 paths/ })
  t.strictSame(await watch.next(), { done: true, value: undefined })
})

t.test('a large buffer is read in order', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a', { capacity: 50_000 })
  const paths = Array.from({ length: 50_000 }, (_, index) => `/a/${index}`)
  for (const path of paths) daemon.event(path, '1')
  const seen: string[] = []
  for await (const { path } of watch) {
    seen.push(path)
    if (seen.length === paths.length) break
  }
  t.strictSame(seen, paths)
})

t.test('several readers get an event each, and at the end one of them the error', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a')
  const readers = [1, 2, 3].map(() => outcome(watch.next()))
  daemon.event('/a', '1')
  daemon.hangUp()
  t.strictSame(await Promise.all(readers), [JSON.stringify(changed('/a')), 'ECONNRESET', '{"done":true}'])
})

t.test('what came before the connection was lost can be read', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a')
  daemon.event('/a', '1')
  daemon.hangUp()
  t.strictSame(await watch.next(), changed('/a'))
  await t.rejects(watch.next(), { code: 'ECONNRESET', operation: 'WATCH', path: '/a' })
  t.strictSame(await watch.next(), { done: true, value: undefined })
})

t.test('resetWatches ends those there are, not those that follow', async t => {
  const { daemon, store } = silent()
  const before = store.watch('/a')
  const reset = store.resetWatches()
  const after = store.watch('/b')
  for (const request of daemon.received.splice(0)) daemon.answer(request)
  daemon.event('/b', '2')
  daemon.event('/a', '1')
  await reset
  await t.rejects(before.next(), { code: 'EBADF', path: '/a', message: /resetWatches/ })
  t.strictSame(await after.next(), changed('/b'))
  t.equal(store.statistics.watches, 1)
  t.strictSame(daemon.received, [])
})

t.test('resetWatches before a watch could be sent: it is set after that', async t => {
  const { daemon, store } = silent()
  const watch = store.watch('/a', { depth: 1 })
  const reset = store.resetWatches()
  const [feature, nudge, resetting] = daemon.received.splice(0)
  daemon.answer(feature!, '4\0')
  daemon.answer(nudge!, '/local/domain/0\0')
  await settle()
  t.strictSame(sent(daemon, watchType), ['/a\x001\x001\0'])
  daemon.answer(resetting!)
  await reset
  acknowledge(daemon)
  await watch.ready
  daemon.event('/a/b', '1')
  t.strictSame(await watch.next(), changed('/a/b'))
  await watch.return()
  t.strictSame(sent(daemon, unwatchType), ['/a\x001\0'])
})

t.test('a signal has one listener, and none when all has ended', async t => {
  const { signal } = new AbortController()
  const { daemon, store } = silent()
  for (const _ of 'ab') await store.watch('/a', { signal }).return()
  const lost = store.watch('/a', { signal })
  await outcome(store.read('/a', { signal: AbortSignal.abort() }))
  const pending = outcome(store.read('/a', { signal }))
  t.equal(EventEmitter.getEventListeners(signal, 'abort').length, 1)
  daemon.hangUp()
  await pending
  await outcome(lost.next())
  t.equal(EventEmitter.getEventListeners(signal, 'abort').length, 0)
})
