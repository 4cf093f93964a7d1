import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { EventQueue } from '#xenlight/link/event-queue.js'
import { LinkError } from '#xenlight/link/link-error.js'
import { holdsAsync } from '../support/holds.js'

/** Reads what is there. */
async function all(queue: EventQueue<string>): Promise<string[]> {
  queue.end()
  return collect(queue)
}

async function collect(queue: AsyncIterable<string>): Promise<string[]> {
  const events: string[] = []
  for await (const event of queue) events.push(event)
  return events
}

t.test('events come in order, to those who wait and to those who come later', async t => {
  const queue = new EventQueue<string>()
  const first = queue.next()
  queue.push('a')
  queue.push('b')
  t.strictSame(
    [await first, await queue.next()],
    [
      { done: false, value: 'a' },
      { done: false, value: 'b' },
    ],
  )
  queue.push('c')
  t.strictSame(await all(queue), ['c'])
})

t.test('too many are merged into one, or end the queue', async t => {
  const merging = new EventQueue<string>({ capacity: 2, merged: () => 'more' })
  for (const event of ['a', 'b', 'c', 'd']) merging.push(event)
  t.strictSame(await merging.next(), { done: false, value: 'more' })
  merging.push('e')
  t.strictSame(await all(merging), ['e'])

  for (const options of [{ overflow: 'fail' } as const, {}]) {
    const failing = new EventQueue<string>({ capacity: 2, ...options })
    for (const event of ['a', 'b', 'c']) failing.push(event)
    await t.rejects(failing.next(), { name: 'LinkError', code: 'EOVERFLOW' })
    t.strictSame(await failing.next(), { done: true, value: undefined })
  }
})

t.test('what is kept can be read before the error, and the error once', async t => {
  const ends: unknown[] = []
  const queue = new EventQueue<string>({ ended: error => ends.push(error) })
  const lost = new LinkError('ECONNRESET', 'gone')
  queue.push('a')
  queue.end(lost)
  queue.end()
  queue.push('b')
  t.strictSame(await queue.next(), { done: false, value: 'a' })
  await t.rejects(queue.next(), lost)
  t.strictSame(await queue.next(), { done: true, value: undefined })
  t.strictSame(ends, [lost])
})

t.test('leaving the loop ends it', async t => {
  let ended = 0
  const queue = new EventQueue<string>({ ended: () => ended++ })
  queue.push('a')
  queue.push('b')
  for await (const event of queue) {
    t.equal(event, 'a')
    break
  }
  t.equal(ended, 1)
  t.strictSame(await queue.next(), { done: true, value: undefined })
})

t.test('no event is lost but into a merged one, and never more than the capacity are kept', async t => {
  const step = fc.oneof(fc.nat(5).map(String), fc.constant('read'))
  await holdsAsync(
    t,
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 4 }), async (steps, capacity) => {
      const queue = new EventQueue<string>({ capacity, keyOf: event => event, merged: () => 'more' })
      // the same, as simple as can be
      let model: string[] = []
      for (const step of steps) {
        if (step === 'read') {
          const expected = model.shift()
          if (expected !== undefined) assert.deepEqual(await queue.next(), { done: false, value: expected })
          continue
        }
        queue.push(step)
        if (model.includes('more') || model.includes(step)) continue
        if (model.length < capacity) model.push(step)
        else model = ['more']
      }
      assert.deepEqual(await all(queue), model)
    }),
  )
})
