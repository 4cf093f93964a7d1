import t from 'tap'
import { openXenstore, type Xenstore } from 'xenlight/xenstore'
import { FakeDaemon, type Received, settle } from './fake-daemon.js'

/** A daemon with one node that can be watched, `/a`. */
class OneNode extends FakeDaemon {
  value: string | undefined
  readonly tokens = new Set<string>()

  constructor() {
    super(request => this.#serve(request))
  }

  set(value: string | undefined): void {
    this.value = value
    for (const token of this.tokens) this.event('/a', token)
  }

  #serve(request: Received): void {
    const token = request.text.split('\0')[1]!
    if (request.type === 4) {
      this.tokens.add(token)
      this.answer(request)
      this.event('/a', token)
    } else if (request.type === 5) {
      this.tokens.delete(token)
      this.answer(request)
    } else if (request.type === 2 && this.value !== undefined) this.answer(request, this.value)
    else if (request.type === 23) this.refuse(request, 'ENOSYS')
    else if (request.type === 10) this.answer(request, '/local/domain/0')
    else this.refuse(request, 'ENOENT')
  }
}

const cases: [
  name: string,
  wait: (store: Xenstore) => Promise<unknown>,
  values: (string | undefined)[],
  result: unknown,
][] = [
  ['there already', s => s.waitUntilExists('/a'), ['x'], 'x'],
  ['empty, but there', s => s.waitUntilExists('/a'), [undefined, ''], ''],
  ['a value', s => s.waitForValue('/a', '4'), [undefined, '1', '2', '4'], '4'],
  ['one of several', s => s.waitForValue('/a', ['5', '6']), ['4', '6'], '6'],
  ['gone', s => s.waitUntil('/a', value => value === undefined), ['4', undefined], undefined],
  ['a predicate', s => s.waitUntil('/a', value => Number(value) > 2), ['1', '2', '3'], '3'],
]

t.test('waits for a node to be what it should be', async t => {
  for (const [name, wait, values, result] of cases) {
    const daemon = new OneNode()
    const store = openXenstore(daemon)
    daemon.value = values[0]
    const promise = wait(store)
    for (const value of values) {
      await settle()
      daemon.set(value)
    }
    t.equal(await promise, result, name)
    await settle()
    t.equal(daemon.tokens.size, 0)
    t.match(store.statistics, { watches: 0, inFlight: 0 })
  }
})

t.test('not in vain for ever, and the watch is gone in any case', async t => {
  const daemon = new OneNode()
  const store = openXenstore(daemon)
  const controller = new AbortController()
  const gone = async () => {
    await settle()
    t.equal(daemon.tokens.size, 0)
    t.match(store.statistics, { watches: 0, inFlight: 0 })
  }
  daemon.value = '1'
  await t.rejects(store.waitForValue('/a', '2', { timeout: 300 }), {
    name: 'XenstoreError',
    code: 'ETIMEDOUT',
    path: '/a',
    message: 'WATCH /a: ETIMEDOUT (not done within 300 ms: its value was "1", not "2")',
  })
  await gone()
  daemon.value = undefined
  await t.rejects(store.waitUntilExists('/a', { timeout: 300 }), { code: 'ETIMEDOUT', message: /no such node/ })
  await gone()
  const aborted = store.waitUntilExists('/a', { signal: controller.signal })
  await settle()
  controller.abort('enough')
  await t.rejects(aborted, { code: 'ECANCELED', path: '/a', cause: 'enough' })
  await gone()
  await t.rejects(store.waitUntilExists('/a', { signal: controller.signal }), { code: 'ECANCELED' })
  await t.rejects(
    store.waitUntil('/a', () => {
      throw new Error('thrown')
    }),
    { message: 'thrown' },
  )
  await gone()
  await t.rejects(store.waitUntilExists('/a/'), { code: 'EINVAL' })
  const lost = store.waitUntilExists('/a')
  await settle()
  daemon.hangUp()
  await t.rejects(lost, { code: 'ECONNRESET', path: '/a' })
})
