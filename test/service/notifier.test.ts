import t from 'tap'
import { Notifier } from '#xenlight/service/notifier.js'

/** A manager that has a message when the test says so. */
function played(watchdog?: number) {
  const sent: string[][] = []
  let has = () => {}
  let fail = (_: Error) => {}
  let beat = () => {}
  let interval: number | undefined
  let uptime = 41n
  const notifier = new Notifier({
    send(assignments) {
      sent.push([...assignments])
      return new Promise((resolve, reject) => {
        has = resolve
        fail = reject
      })
    },
    uptime: () => ++uptime,
    watchdog,
    every(milliseconds, call) {
      interval = milliseconds
      beat = call
      return () => {
        interval = undefined
      }
    },
  })
  const settled = () => new Promise(resolve => setImmediate(resolve))
  return {
    notifier,
    sent,
    get interval() {
      return interval
    },
    beat: () => beat(),
    has: async () => {
      has()
      await settled()
    },
    fail: async () => {
      fail(new Error('nobody listens'))
      await settled()
    },
    settled,
  }
}

t.test('what is said in one go is one message; meanwhile the newest status waits', async t => {
  const { notifier, sent, has, settled } = played()
  notifier.ready()
  notifier.status('one')
  await settled()
  t.strictSame(sent, [['READY=1', 'STATUS=one']])
  for (const text of ['two', 'three', 'four']) notifier.status(text)
  await settled()
  t.equal(sent.length, 1, 'one at a time')
  await has()
  t.strictSame(sent.slice(1), [['STATUS=four']])
  await has()
  t.equal(sent.length, 2, 'nothing is said twice')
})

t.test('a reload is begun and ended by two messages', async t => {
  const { notifier, sent, has } = played()
  notifier.reloading()
  notifier.status('as before')
  notifier.ready()
  await has()
  await has()
  t.strictSame(sent, [['RELOADING=1', 'MONOTONIC_USEC=42', 'STATUS=as before'], ['READY=1']])
})

t.test('of reloads that the manager has not heard of yet, the last one counts: nothing piles up', async t => {
  const { notifier, sent, has, settled } = played()
  notifier.ready()
  await settled()
  for (let times = 0; times < 1000; times++) {
    notifier.reloading()
    notifier.ready()
  }
  for (let times = 0; times < 4; times++) await has()
  t.strictSame(sent, [['READY=1'], ['RELOADING=1', 'MONOTONIC_USEC=1041'], ['READY=1']])
})

t.test('signs of life, from when it is ready until it is over; late ones are one', async t => {
  const manager = played(5)
  const { notifier, sent, has, beat } = manager
  t.equal(manager.interval, undefined)
  notifier.ready()
  notifier.ready()
  t.equal(manager.interval, 5)
  await manager.settled()
  beat()
  beat()
  await has()
  t.strictSame(sent, [['READY=1'], ['READY=1', 'WATCHDOG=1']])
  await has()
  t.equal(sent.length, 2)
  await notifier[Symbol.asyncDispose]()
  t.equal(manager.interval, undefined)
})

t.test('a manager that does not hear it stops nothing', async t => {
  const { notifier, sent, fail, settled } = played()
  notifier.ready()
  await settled()
  await fail()
  notifier.status('goes on')
  await settled()
  t.strictSame(sent, [['READY=1'], ['STATUS=goes on']])
})

t.test('who stops is not ready again', async t => {
  const { notifier, sent, has, settled } = played()
  notifier.reloading()
  await settled()
  notifier.ready()
  notifier.stopping()
  notifier.ready()
  notifier.reloading()
  await has()
  await has()
  t.strictSame(sent.slice(1), [['STOPPING=1']])
})

t.test('a status is one assignment, and not too long', async t => {
  const { notifier, sent, settled } = played()
  notifier.status(`up\nMAINPID=1\x1b[2J${'x'.repeat(10_000)}`)
  await settled()
  const [[status] = []] = sent
  t.match(status, /^STATUS=up␊MAINPID=1␛\[2Jx+$/)
  t.equal(status!.length, 'STATUS='.length + 500)
})
