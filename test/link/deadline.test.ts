import { EventEmitter, getEventListeners } from 'node:events'
import t from 'tap'
import { deadline, type Over } from '#xenlight/link/deadline.js'
import { FifoLock } from '#xenlight/link/fifo-lock.js'
import { busyPast } from '../support/busy.js'

/** Why a limit is over. */
const overOf = (limits: Parameters<typeof deadline>[0]): Promise<Over> =>
  new Promise(resolve => deadline(limits, resolve))

t.test('a limit is over by its time or its signal, whichever is first', async t => {
  t.match(await overOf({ timeout: 1 }), { code: 'ETIMEDOUT', why: 'not done within 1 ms', byTimer: true })
  t.match(await overOf({ timeout: 0 }), { code: 'ETIMEDOUT', byTimer: true })
  const controller = new AbortController()
  const over = overOf({ timeout: 60_000, signal: controller.signal })
  controller.abort('enough')
  t.match(await over, { code: 'ECANCELED', cause: 'enough', byTimer: false })
  t.match(await overOf({ signal: controller.signal }), { code: 'ECANCELED', cause: 'enough' }, 'aborted before')
  // the timer of such a signal does not keep the process alive
  const alive = setTimeout(() => {}, 60_000)
  t.match(await overOf({ signal: AbortSignal.timeout(1) }), { code: 'ECANCELED', byTimer: true })
  clearTimeout(alive)
  for (const timeout of [-1, Number.NaN, '5' as never]) {
    t.throws(() => deadline({ timeout }, () => {}), { name: 'RangeError', message: /milliseconds/ })
  }
})

t.test('a limit without end keeps no timer, and one that is disposed is never over', async t => {
  const overs: unknown[] = []
  const controller = new AbortController()
  const limits = [
    { timeout: 1 },
    { timeout: Number.POSITIVE_INFINITY },
    { timeout: 2 ** 40 },
    { signal: controller.signal },
    {},
  ]
  for (const limit of limits) deadline(limit, over => overs.push(over))[Symbol.dispose]()
  controller.abort()
  await new Promise(resolve => setTimeout(resolve, 50))
  t.strictSame(overs, [])
})

t.test('many limits share one listener of their signal, which goes with the last', async t => {
  const { signal } = new AbortController()
  const limits = Array.from({ length: 100 }, () => deadline({ signal }, () => {}))
  t.equal(getEventListeners(signal, 'abort').length, 1)
  for (const limit of limits) limit[Symbol.dispose]()
  t.equal(getEventListeners(signal, 'abort').length, 0)
})

t.test('what arrived while the process was busy comes before the end', async t => {
  const arriving = new EventEmitter()
  const seen: string[] = []
  const limit = deadline({ timeout: 50 }, () => seen.push('over'))
  arriving.once('answer', () => {
    seen.push('answer')
    limit[Symbol.dispose]()
  })
  // as a socket's data: handled after the timers
  setImmediate(() => setImmediate(() => arriving.emit('answer')))
  busyPast(50)
  await new Promise(resolve => setTimeout(resolve, 300))
  t.strictSame(seen, ['answer'])
})

t.test('a lock goes to who asked first', async t => {
  const lock = new FifoLock()
  const order: number[] = []
  await Promise.all(
    [1, 2, 3].map(async index => {
      const release = await lock.take()
      order.push(index)
      await new Promise(setImmediate)
      order.push(index)
      release()
    }),
  )
  t.strictSame(order, [1, 1, 2, 2, 3, 3])
})
