import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LinkError } from '#xenlight/link/link-error.js'
import { RequestTable } from '#xenlight/link/request-table.js'
import { holdsAsync } from '../support/holds.js'

interface Ask {
  name: string
  late?(reply: unknown): void
  unsent?(): void
}

/** A table, and what it sent: the number and name of each request. */
function tableWith(atMost: number) {
  const sent: [id: number, name: string][] = []
  const table = new RequestTable<number, Ask>({
    atMost,
    nextId: (last = 0) => last + 1,
    send: (id, { name }) => sent.push([id, name]),
    overError: ({ name }, { code, why }) => new LinkError(code, `${name}: ${why}`),
    lostError: ({ name }, error) => new LinkError(error.code, `${name}: ${error.message}`, { cause: error }),
  })
  return { table, sent }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error: LinkError) => `${error.code} ${error.message}`)

t.test('requests are sent in order, no more at a time than allowed', async t => {
  const { table, sent } = tableWith(2)
  const answers = ['a', 'b', 'c', 'd'].map(name => table.ask({ name }))
  t.strictSame(sent, [
    [1, 'a'],
    [2, 'b'],
  ])
  t.match(table.statistics, { requests: 2, inFlight: 2, queued: 2 })
  table.resolve(2, ({ name }) => name.toUpperCase())
  t.equal(await answers[1], 'B')
  table.reject(1, ({ name }) => new Error(`no ${name}`))
  await t.rejects(answers[0]!, { message: 'no a' })
  t.strictSame(
    sent.map(([, name]) => name),
    ['a', 'b', 'c', 'd'],
  )
  t.equal(table.peek(3)?.name, 'c')
  t.equal(table.peek(1), undefined)
})

t.test('one out of band passes all that wait, and takes no place of theirs', async t => {
  const { table, sent } = tableWith(1)
  const inBand = ['a', 'b'].map(name => table.ask<string>({ name }))
  const urgent = table.ask<string>({ name: 'urgent' }, undefined, true)
  t.strictSame(sent, [
    [1, 'a'],
    [2, 'urgent'],
  ])
  table.resolve(2, () => 'now')
  t.equal(await urgent, 'now')
  t.equal(sent.length, 2, 'b still waits for a')
  table.resolve(1, () => 'later')
  t.equal(await inBand[0], 'later')
  t.strictSame(sent.at(-1), [3, 'b'])
})

t.test('an answer that comes too late is handed over to undo what it did', async t => {
  const { table, sent } = tableWith(1)
  const calls: string[] = []
  const request = (name: string): Ask => ({
    name,
    late: reply => calls.push(`${name} late: ${reply}`),
    unsent: () => calls.push(`${name} unsent`),
  })
  const controller = new AbortController()
  const { signal } = controller
  const answers = [table.ask(request('a'), { signal }), table.ask(request('b'), { signal })].map(outcome)
  controller.abort()
  answers.push(outcome(table.ask(request('c'), { signal })))
  const canceled = (name: string) => `ECANCELED ${name}: its signal was aborted`
  t.strictSame(await Promise.all(answers), ['a', 'b', 'c'].map(canceled))
  t.strictSame(calls, ['b unsent', 'c unsent'])
  t.match(table.statistics, { inFlight: 1, queued: 0, late: 0 }, 'the other end is not done with it')
  table.resolve(1, () => 'done')
  t.strictSame(calls.at(-1), 'a late: done')
  t.match(table.statistics, { inFlight: 0, late: 1 })
  t.equal(sent.length, 1)
})

t.test('an answer that cannot be read leaves its request to fail with the connection', async t => {
  const { table } = tableWith(1)
  const answer = outcome(table.ask({ name: 'a' }))
  t.throws(
    () =>
      table.resolve(1, () => {
        throw new Error('unreadable')
      }),
    { message: 'unreadable' },
  )
  table.failAll(new LinkError('EPROTO', 'the other end talks nonsense'))
  t.equal(await answer, 'EPROTO a: the other end talks nonsense')
})

t.test('a timeout that is no number of milliseconds is refused', async t => {
  const { table, sent } = tableWith(1)
  await t.rejects(table.ask({ name: 'a' }, { timeout: Number.NaN }), { name: 'RangeError' })
  t.equal(sent.length, 0)
})

type Step = { kind: 'ask' | 'urgent' | 'abort' | 'answer' | 'refuse'; which: number }

t.test('every request ends once, whatever happens when', async t => {
  const step: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom('ask', 'ask', 'urgent', 'abort', 'answer', 'refuse'),
    which: fc.nat(20),
  })
  const run = async (steps: Step[], atMost: number) => {
    const { table, sent } = tableWith(atMost)
    const signals: AbortController[] = []
    const outcomes: Promise<unknown>[] = []
    const ends: string[] = []
    const unanswered: number[] = []
    let taken = 0
    const inBand = new Set<number>()
    const note = () => {
      for (const [id, name] of sent.slice(taken)) {
        unanswered.push(id)
        if (!name.startsWith('!')) inBand.add(id)
      }
      taken = sent.length
      assert.ok(unanswered.filter(id => inBand.has(id)).length <= atMost)
    }
    for (const { kind, which } of steps) {
      if (kind === 'ask' || kind === 'urgent') {
        const controller = new AbortController()
        const name = `${kind === 'urgent' ? '!' : ''}${signals.length}`
        signals.push(controller)
        const request = { name, late: () => ends.push(`late ${name}`), unsent: () => ends.push(`unsent ${name}`) }
        outcomes.push(outcome(table.ask(request, { signal: controller.signal }, kind === 'urgent')))
      } else if (kind === 'abort') {
        signals[which % (signals.length || 1)]?.abort()
      } else if (unanswered.length > 0) {
        const [id] = unanswered.splice(which % unanswered.length, 1)
        if (kind === 'answer') table.resolve(id!, ({ name }) => `answer to ${name}`)
        else table.reject(id!, ({ name }) => new LinkError('ENOENT', name))
      }
      note()
    }
    const { inFlight, queued } = table.statistics
    assert.equal(inFlight, unanswered.length)
    assert.ok(queued === 0 || unanswered.filter(id => inBand.has(id)).length === atMost)
    table.failAll(new LinkError('ECONNRESET', 'gone'))
    assert.deepEqual({ ...table.statistics, requests: 0, late: 0 }, { requests: 0, inFlight: 0, queued: 0, late: 0 })
    for (const [index, end] of (await Promise.all(outcomes)).entries()) {
      assert.match(String(end), new RegExp(`^(answer to|ENOENT|ECANCELED|ECONNRESET) !?${index}\\b`))
    }
    const names = sent.map(([, name]) => name).filter(name => !name.startsWith('!'))
    assert.deepEqual(
      names,
      [...names].sort((a, b) => Number(a) - Number(b)),
    )
    assert.equal(new Set(ends).size, ends.length)
  }
  await holdsAsync(t, fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), run))
})
