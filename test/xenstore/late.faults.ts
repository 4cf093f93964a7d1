import t from 'tap'
import { openXenstore, type Xenstore } from 'xenlight/xenstore'
import { busyPast } from '../support/busy.js'
import { onEachStore } from '../support/each-store.js'
import { FakeDaemon, settle, silent } from './fake-daemon.js'

// A process whose event loop was busy past a time limit finds the timer first, and the answer that came long ago after it.

const rounds = 200
const limit = 300
const busy = () => busyPast(limit)
/** Long enough to begin all the waiting. */
const waitLimit = 1500

/** Runs all rounds at once, on one stretch of work. */
const all = <Value>(round: (index: number) => Promise<Value>): Promise<Value>[] =>
  Array.from({ length: rounds }, (_, index) => round(index))

/** Waits until all the waiting has begun; where the machine is too slow for that, until it is over. */
async function untilQuiet(store: Xenstore, watches: number): Promise<void> {
  const end = performance.now() + waitLimit
  const isQuiet = () => store.statistics.watches >= watches && store.statistics.inFlight + store.statistics.queued === 0
  while (!isQuiet() && performance.now() < end) await settle()
}

onEachStore('an answer that came in time counts', async (t, connect) => {
  const store = await connect()
  await store.write('/late/value', 'x')
  const reads = all(() => store.read('/late/value', { timeout: limit }))
  busy()
  t.strictSame(await Promise.all(reads), Array(rounds).fill('x'), 'of a request')

  const brief = await connect({ timeout: limit })
  const lists = all(() => brief.directory('/late'))
  busy()
  t.strictSame(await Promise.all(lists), Array(rounds).fill(['value']), 'with the time-out of the connection')
})

onEachStore('a value that came in time counts', async (t, connect) => {
  const store = await connect()
  const other = await connect()
  const waits: [name: string, wait: (path: string) => Promise<unknown>, before: string | undefined, after: unknown][] =
    [
      ['waitForValue', path => store.waitForValue(path, '4', { timeout: waitLimit }), '1', '4'],
      ['waitUntilExists', path => store.waitUntilExists(path, { timeout: waitLimit }), undefined, '4'],
      ['waitUntil', path => store.waitUntil(path, value => Number(value) > 3, { timeout: waitLimit }), undefined, '4'],
      [
        'a node that goes',
        path => store.waitUntil(path, value => value === undefined, { timeout: waitLimit }),
        '1',
        undefined,
      ],
    ]
  const path = (kind: number, index: number) => `/wait/${kind}/${index}`
  for (const [kind, [, , before]] of waits.entries()) {
    if (before !== undefined) await Promise.all(all(index => other.write(path(kind, index), before)))
  }
  const waiting = waits.map(([, wait], kind) => Promise.allSettled(all(index => wait(path(kind, index)))))
  await untilQuiet(store, waits.length * rounds)
  const changes = waits.flatMap(([, , , after], kind) =>
    all(index => (after === undefined ? other.rm(path(kind, index)) : other.write(path(kind, index), String(after)))),
  )
  await settle()
  busyPast(waitLimit)
  await Promise.all(changes)
  for (const [kind, [name, , , after]] of waits.entries()) {
    const late = (await waiting[kind]!).filter(result => result.status === 'rejected' || result.value !== after)
    t.strictSame(late, [], `${name}, ${rounds} rounds`)
  }
})

onEachStore('what had arrived when the signal of a timer was aborted counts', async (t, connect) => {
  const store = await connect()
  await store.write('/late', 'x')
  const signal = AbortSignal.timeout(waitLimit)
  const waits = Array.from({ length: 10 }, () => store.waitForValue('/late', 'y', { signal }))
  await untilQuiet(store, waits.length)
  const changed = store.write('/late', 'y')
  const reads = Array.from({ length: 10 }, () => store.read('/late', { signal }))
  await settle()
  busyPast(waitLimit)
  await changed
  t.strictSame(await Promise.all(reads), Array(10).fill('y'))
  t.strictSame(await Promise.all(waits), Array(10).fill('y'))
})

onEachStore('a transaction is not given up for what the process did meanwhile', async (t, connect) => {
  const store = await connect()
  const at: [when: string, before: () => void, after: () => void][] = [
    ['behind the call', () => {}, () => {}],
    ['in its body', busy, () => {}],
    ['before its commit', () => {}, busy],
  ]
  for (const [when, before, after] of at) {
    const run = store.transaction(
      async nodes => {
        before()
        await nodes.write('/transaction', when)
        await nodes.read('/transaction')
        after()
      },
      { timeout: limit },
    )
    if (when === 'behind the call') busy()
    t.match(await run, { attempts: 1 }, when)
    t.equal(await store.read('/transaction'), when)
  }
  await Promise.all(all(index => store.write(`/transaction/${index}`, '')))
  const many = all(index => store.transaction(nodes => nodes.write(`/transaction/${index}`, 'x'), { timeout: limit }))
  busy()
  const ended = await Promise.allSettled(many)
  t.equal(ended.filter(({ status }) => status === 'fulfilled').length, rounds)
})

t.test('an answer that does not come is still a time-out', async t => {
  const { store } = silent()
  const read = store.read('/a', { timeout: limit })
  const run = store.transaction(() => {}, { timeout: limit })
  const wait = store.waitUntilExists('/a', { timeout: limit })
  const all = Promise.allSettled([read, run, wait])
  busy()
  for (const result of await all) t.match(result, { status: 'rejected', reason: { code: 'ETIMEDOUT' } })
})

t.test('a signal acts at once, whatever has arrived', async t => {
  const daemon = new FakeDaemon()
  const store = openXenstore(daemon)
  const controller = new AbortController()
  const read = store.read('/a', { signal: controller.signal })
  controller.abort('enough')
  daemon.answer(daemon.received[0]!, 'x')
  await t.rejects(read, { code: 'ECANCELED', cause: 'enough' })
})

t.test('the last look says what it found', async t => {
  const daemon = new FakeDaemon((request, daemon) => {
    // no event ever comes
    if (request.type === 2) daemon.answer(request, '3')
    else if (request.type === 23) daemon.refuse(request, 'ENOSYS')
    else daemon.answer(request)
  })
  const store = openXenstore(daemon)
  t.equal(await store.waitForValue('/a', '3', { timeout: 10 }), '3')
  await t.rejects(store.waitForValue('/a', '4', { timeout: 10 }), {
    code: 'ETIMEDOUT',
    message: 'WATCH /a: ETIMEDOUT (not done within 10 ms: its value was "3", not "4")',
  })
  await t.rejects(
    store.waitUntil(
      '/a',
      () => {
        throw new Error('from the predicate')
      },
      { timeout: 10 },
    ),
    { message: 'from the predicate' },
  )
})
