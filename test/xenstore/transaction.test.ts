import assert from 'node:assert'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { openXenstore, type Xenstore, type XenstoreTransaction } from 'xenlight/xenstore'
import { holdsAsync } from '../support/holds.js'
import { FakeDaemon, outcome, packet, type Received, settle, silent } from './fake-daemon.js'

const [read, start, end, write] = [2, 6, 7, 11]

interface Ended {
  tx: number
  commit: boolean
}

/** A daemon that keeps count of transactions, and finds a conflict in the first `conflicts` of them. */
class Counting extends FakeDaemon {
  readonly open = new Set<number>()
  readonly ended: Ended[] = []
  conflicts: number
  #lastTx = 100

  constructor(conflicts = 0) {
    super(request => this.#serve(request))
    this.conflicts = conflicts
  }

  #serve(request: Received): void {
    const { type, tx, text } = request
    if (type === start) {
      this.open.add(++this.#lastTx)
      this.answer(request, `${this.#lastTx}\0`)
    } else if (tx !== 0 && !this.open.has(tx)) {
      this.refuse(request, 'ENOENT')
    } else if (type === end) {
      const commit = text === 'T\0'
      this.open.delete(tx)
      this.ended.push({ tx, commit })
      if (commit && this.conflicts-- > 0) this.refuse(request, 'EAGAIN')
      else this.answer(request)
    } else if (text.startsWith('/none')) {
      this.refuse(request, 'ENOENT')
    } else if (type === 21) {
      this.open.clear()
      this.answer(request)
    } else {
      this.answer(request, type === read ? 'value' : 'OK\0')
    }
  }
}

function counting(conflicts?: number): { daemon: Counting; store: Xenstore } {
  const daemon = new Counting(conflicts)
  return { daemon, store: openXenstore(daemon) }
}

t.test('requests carry its number, those of others none', async t => {
  const { daemon, store } = counting()
  const { value, attempts } = await store.transaction(async tx => {
    const [value] = await Promise.all([tx.read('/a'), tx.write('/b', 'x'), store.write('/outside', '')])
    return value
  })
  t.strictSame({ value, attempts }, { value: 'value', attempts: 1 })
  t.strictSame(
    daemon.received.map(({ type, tx, text }) => [type, tx, text]),
    [
      [start, 0, '\0'],
      [read, 101, '/a\0'],
      [write, 101, '/b\0x'],
      [write, 0, '/outside\0'],
      [end, 101, 'T\0'],
    ],
  )
  t.match(store.statistics, { transactions: 0, inFlight: 0 })
})

t.test('a conflict: the whole body again, in a fresh one', async t => {
  const { daemon, store } = counting(3)
  const seen: XenstoreTransaction[] = []
  const result = await store.transaction(async tx => {
    seen.push(tx)
    await tx.write('/a', '')
    return seen.length
  })
  t.strictSame(result, { value: 4, attempts: 4 })
  t.equal(new Set(seen).size, 4)
  t.strictSame(
    daemon.ended.map(({ tx }) => tx),
    [101, 102, 103, 104],
  )
  t.ok(daemon.ended.every(({ commit }) => commit))
})

t.test('attempts are bounded', async t => {
  for (const attempts of [1, 3]) {
    const { daemon, store } = counting(Number.POSITIVE_INFINITY)
    const body = async (tx: XenstoreTransaction) => tx.write('/a', '')
    await t.rejects(store.transaction(body, { attempts }), {
      name: 'XenstoreError',
      code: 'EAGAIN',
      operation: 'TRANSACTION_END',
      message: new RegExp(`, ${attempts} times`),
    })
    t.equal(daemon.ended.length, attempts)
    t.equal(daemon.open.size, 0)
  }
})

const failing: [
  name: string,
  body: (tx: XenstoreTransaction) => unknown,
  error: { message: string } | { code: string; path?: string },
][] = [
  ['throws', () => assert.fail('no'), { message: 'no' }],
  ['rejects', async () => assert.fail('no'), { message: 'no' }],
  ['a request is refused', tx => tx.read('/none'), { code: 'ENOENT', path: '/none' }],
  ['one of several is', tx => Promise.all([tx.write('/a', ''), tx.read('/none'), tx.read('/b')]), { code: 'ENOENT' }],
  ['nobody waits for it', tx => void tx.read('/none'), { code: 'ENOENT', path: '/none' }],
  [
    'nor for what follows',
    tx =>
      void tx
        .read('/a')
        .then(() => tx.read('/none'))
        .catch(() => {}),
    { code: 'ENOENT' },
  ],
  ['throws with some under way', tx => [tx.read('/none'), tx.read('/none/2'), assert.fail('no')], { message: 'no' }],
  ['a path that cannot be', tx => tx.read('/a b'), { code: 'EINVAL' }],
]

t.test('a body that fails changes nothing, and its error is passed on', async t => {
  for (const [name, body, error] of failing) {
    const { daemon, store } = counting()
    await t.rejects(store.transaction(body), error, name)
    await settle()
    t.strictSame(daemon.ended, [{ tx: 101, commit: false }], name)
    t.match(store.statistics, { transactions: 0, inFlight: 0 })
  }
})

t.test('what the body does not wait for is part of it', async t => {
  const { daemon, store } = counting()
  const result = await store.transaction(tx => {
    void tx.write('/a', '')
    void tx.readIfPresent('/none')
    void tx.write('/b', '').then(() => tx.write('/c', ''))
  })
  t.equal(result.attempts, 1)
  t.strictSame(
    daemon.received.map(({ type }) => type),
    [start, write, read, write, write, end],
  )
  t.strictSame(daemon.ended, [{ tx: 101, commit: true }])
})

t.test('used after its end', async t => {
  const { daemon, store } = counting()
  let kept: XenstoreTransaction | undefined
  await store.transaction(tx => {
    kept = tx
  })
  await t.rejects(kept!.write('/a', ''), { code: 'EBADF', operation: 'WRITE', path: '/a' })
  t.equal(kept!.signal.aborted, false)
  t.equal(daemon.received.length, 2)
})

t.test('given up while the body runs', async t => {
  for (const by of ['signal', 'timeout'] as const) {
    const { daemon, store } = counting()
    const controller = new AbortController()
    let kept: XenstoreTransaction | undefined
    const options = by === 'signal' ? { signal: controller.signal } : { timeout: 5 }
    const promise = store.transaction(async tx => {
      kept = tx
      await tx.write('/a', '')
      controller.abort('enough')
      await new Promise(() => {})
    }, options)
    await t.rejects(promise, by === 'signal' ? { code: 'ECANCELED', cause: 'enough' } : { code: 'ETIMEDOUT' })
    t.equal(kept!.signal.aborted, true)
    await t.rejects(kept!.write('/a', ''), { code: by === 'signal' ? 'ECANCELED' : 'ETIMEDOUT', path: '/a' })
    await settle()
    t.strictSame(daemon.ended, [{ tx: 101, commit: false }])
    t.match(store.statistics, { transactions: 0, inFlight: 0 })
  }
})

t.test('given up before its number came: ended when it comes', async t => {
  const { daemon, store } = silent()
  const controller = new AbortController()
  const promise = store.transaction(() => {}, { signal: controller.signal })
  controller.abort()
  await t.rejects(promise, { code: 'ECANCELED' })
  daemon.answer(daemon.received[0]!, '55\0')
  t.match(daemon.received[1], { type: end, tx: 55, text: 'F\0' })
  t.match(store.statistics, { late: 1, transactions: 0, inFlight: 1 })
})

t.test('given up in the queue', async t => {
  const { daemon, store } = silent({ maxInFlight: 1 })
  const first = store.read('/a')
  const controller = new AbortController()
  const promise = store.transaction(() => {}, { signal: controller.signal })
  controller.abort()
  await t.rejects(promise, { code: 'ECANCELED' })
  daemon.answer(daemon.received[0]!)
  await first
  t.equal(daemon.received.length, 1)
  t.match(store.statistics, { queued: 0 })
})

t.test('given up while it is committed: sent, it may be or not; not sent, it is not', async t => {
  for (const sent of [true, false]) {
    const { daemon, store } = silent({ maxInFlight: 1 })
    const controller = new AbortController()
    const promise = store.transaction(() => {}, { signal: controller.signal })
    const other = sent ? undefined : store.read('/a')
    daemon.answer(daemon.received[0]!, '55\0')
    await settle()
    controller.abort()
    await t.rejects(promise, { code: 'ECANCELED', message: sent ? /not known/ : /aborted\)$/ })
    if (!sent) daemon.answer(daemon.received[1]!)
    await other
    t.match(daemon.received.at(-1), { type: end, tx: 55, text: sent ? 'T\0' : 'F\0' })
    daemon.refuse(daemon.received.at(-1)!, 'EAGAIN')
    t.match(store.statistics, { inFlight: 0, queued: 0, transactions: 0 })
  }
})

t.test('given up between two attempts', async t => {
  const { daemon, store } = counting(Number.POSITIVE_INFINITY)
  const promise = store.transaction(() => {}, { attempts: 1e6, timeout: 30 })
  await t.rejects(promise, { code: 'ETIMEDOUT' })
  await settle()
  t.equal(daemon.open.size, 0)
  t.equal(store.statistics.transactions, 0)
})

t.test('the connection is lost while the body runs', async t => {
  const { daemon, store } = counting()
  let seen: unknown
  const promise = store.transaction(async tx => {
    tx.signal.addEventListener('abort', () => {
      seen = tx.signal.reason
    })
    daemon.hangUp()
    await new Promise(() => {})
  })
  await t.rejects(promise, { name: 'XenstoreError', code: 'ECONNRESET' })
  t.match(seen, { code: 'ECONNRESET' })
  t.equal(store.statistics.transactions, 0)
})

t.test('what happens right behind its number, before the body could run', async t => {
  for (const [what, code] of [
    ['lost', 'ECONNRESET'],
    ['closed', 'EBADF'],
    ['aborted', 'ECANCELED'],
  ] as const) {
    const { daemon, store } = silent()
    const controller = new AbortController()
    let ran = false
    const body = () => {
      ran = true
      return new Promise(() => {})
    }
    const promise = store.transaction(body, { signal: controller.signal })
    daemon.answer(daemon.received[0]!, '7\0')
    if (what === 'lost') daemon.hangUp()
    else if (what === 'closed') void store.close()
    else controller.abort()
    await t.rejects(promise, { code }, what)
    t.equal(ran, false)
    t.equal(store.statistics.transactions, 0)
    if (what === 'aborted') t.match(daemon.received[1], { type: end, tx: 7, text: 'F\0' })
  }
})

t.test('resetWatches ends it', async t => {
  const { daemon, store } = counting()
  const results: string[] = []
  const promise = store.transaction(async tx => {
    const reset = store.resetWatches()
    const racing = tx.write('/a', '')
    await reset
    results.push(await outcome(racing), await outcome(tx.write('/b', '')))
    await new Promise(() => {})
  })
  await t.rejects(promise, { code: 'EBADF', message: /resetWatches/ })
  await settle()
  t.strictSame(results, ['EBADF', 'EBADF'])
  t.equal(daemon.ended.length, 0)
  t.equal(store.statistics.transactions, 0)
})

t.test('in turn: one begins right behind the end of the one before', async t => {
  const { daemon, store } = counting()
  const results = await Promise.all(
    Array.from({ length: 4 }, (_, index) => store.transaction(tx => tx.write(`/${index}`, ''), { inTurn: true })),
  )
  t.strictSame(
    results.map(({ attempts }) => attempts),
    [1, 1, 1, 1],
  )
  t.strictSame(
    daemon.received.map(({ type }) => type),
    [start, write, end, start, write, end, start, write, end, start, write, end],
  )
  t.strictSame(
    daemon.received.filter(({ type }) => type === write).map(({ text }) => text),
    ['/0\0', '/1\0', '/2\0', '/3\0'],
  )
})

t.test('in turn: the next is sent before the end is answered', async t => {
  const { daemon, store } = silent()
  const all = [1, 2].map(() => outcome(store.transaction(() => {}, { inTurn: true })))
  await settle()
  daemon.answer(daemon.received[0]!, '9\0')
  await settle()
  t.strictSame(
    daemon.received.map(({ type }) => type),
    [start, end, start],
  )
  await store.close()
  t.strictSame(await Promise.all(all), ['EBADF', 'EBADF'])
})

t.test('in turn: whatever becomes of one, the next has its turn', async t => {
  const kinds = ['good', 'throws', 'conflict', 'given up', 'given up before'] as const
  await holdsAsync(
    t,
    fc.asyncProperty(fc.array(fc.constantFrom(...kinds), { maxLength: 8 }), async script => {
      const { daemon, store } = counting()
      const all = script.map(kind => {
        const controller = new AbortController()
        if (kind === 'given up before') queueMicrotask(() => controller.abort())
        const body = async (tx: XenstoreTransaction) => {
          await tx.write('/a', '')
          if (kind === 'throws') throw new Error('thrown')
          if (kind === 'conflict') daemon.conflicts = 1
          if (kind === 'given up') controller.abort()
        }
        return outcome(store.transaction(body, { inTurn: true, attempts: 1, signal: controller.signal }))
      })
      const expected = {
        good: '{"attempts":1}',
        throws: 'Error: thrown',
        conflict: 'EAGAIN',
        'given up': 'ECANCELED',
        'given up before': 'ECANCELED',
      }
      assert.deepStrictEqual(
        await Promise.all(all),
        script.map(kind => expected[kind]),
      )
      await settle()
      assert.strictEqual(daemon.open.size, 0)
      assert.strictEqual(store.statistics.transactions, 0)
    }),
    { numRuns: 60 },
  )
})

t.test('resetWatches ends one whose number comes in the same bytes, or later', async t => {
  for (const together of [true, false]) {
    const { daemon, store } = silent()
    const promise = store.transaction(async tx => tx.readIfPresent('/a'))
    const reset = store.resetWatches()
    const answers = [packet(start, daemon.received[0]!.id, 0, '5\0'), packet(21, daemon.received[1]!.id, 0, 'OK\0')]
    if (together) daemon.send(Buffer.concat(answers))
    else {
      daemon.send(answers[0]!)
      await settle()
      daemon.send(answers[1]!)
    }
    await t.rejects(promise, { code: 'EBADF', message: /resetWatches/ })
    await reset
    t.notOk(daemon.received.some(({ type }) => type === end))
    t.equal(store.statistics.transactions, 0)
  }
})

t.test('given up at any moment between the end of the body and the commit, it is ended', async t => {
  for (let moments = 0; moments < 12; moments++) {
    const { daemon, store } = counting()
    const controller = new AbortController()
    const promise = store.transaction(
      tx => {
        let moment = Promise.resolve()
        for (let count = 0; count < moments; count++) moment = moment.then(() => {})
        void moment.then(() => controller.abort())
        void tx.write('/a', '')
      },
      { signal: controller.signal },
    )
    await outcome(promise)
    await settle()
    t.strictSame(daemon.open.size, 0, `after ${moments}`)
    t.equal(daemon.ended.length, 1)
  }
})

t.test('what a body does once it is given up harms nobody', async t => {
  const { store } = counting()
  const controller = new AbortController()
  let unhandled: unknown
  const listener = (error: unknown) => {
    unhandled = error
  }
  process.on('unhandledRejection', listener)
  const promise = store.transaction(
    async tx => {
      controller.abort()
      for (let times = 0; times < 3; times++) {
        void tx.write('/a', '')
        await settle()
      }
    },
    { signal: controller.signal },
  )
  await t.rejects(promise, { code: 'ECANCELED' })
  for (let times = 0; times < 5; times++) await settle()
  process.off('unhandledRejection', listener)
  t.equal(unhandled, undefined)
})
