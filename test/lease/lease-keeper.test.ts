import t from 'tap'
import { type Grant, holdLease, LeaseError, type LeaseKeeper, type LeaseStore, leaseMargin } from 'xenlight/lease'
import { ModelProcess, World } from './model/world.js'

const ttl = 10_000
const margin = leaseMargin(ttl)

interface Asked {
  /** When, in true time, which here is the process's. */
  time: number
  answer(): void
  fail(error: Error): void
}

/** A keeper in a world of its own, whose renewals are answered as the test says. */
async function kept(): Promise<{
  world: World
  process: ModelProcess
  keeper: LeaseKeeper
  asked: Asked[]
  released: Grant[]
}> {
  const world = new World()
  const process = new ModelProcess(world, 1, 5)
  const asked: Asked[] = []
  const released: Grant[] = []
  const store: LeaseStore = {
    clock: process.clock,
    acquire: (name, { holder, ttl, attempt = '' }) =>
      Promise.resolve({ name, holder, epoch: 7, attempt, ttl, since: process.clock.uptime(), token: 'x' }),
    renew: grant =>
      new Promise((resolve, reject) => {
        const since = process.clock.uptime()
        asked.push({ time: world.time, answer: () => resolve({ ...grant, since }), fail: reject })
      }),
    release: grant => {
      released.push(grant)
      return Promise.resolve()
    },
    look: () => Promise.reject(new Error('not asked')),
    watch: () => {
      throw new Error('not asked')
    },
  }
  const keeper = await holdLease(store, 'web', { holder: 'anna', ttl })
  return { world, process, keeper, asked, released }
}

const nothing = () => {}

t.test('it renews at a third, and counts from when it asked', async t => {
  const { world, keeper, asked } = await kept()
  t.equal(keeper.epoch, 7)
  t.equal(keeper.remaining(), ttl - margin)
  await world.run(3400, nothing)
  t.match(
    asked.map(({ time }) => Math.round(time)),
    [3333],
  )
  await world.run(5000, nothing)
  asked[0]!.answer()
  await world.run(5001, nothing)
  t.equal(keeper.renewals, 1)
  t.equal(Math.round(keeper.remaining()), Math.round(3333 + ttl - margin - 5001))
  await world.run(6700, nothing)
  t.match(
    asked.map(({ time }) => Math.round(time)),
    [3333, 6667],
  )
})

t.test('where nobody answers it tries again, and is lost before its lease ends', async t => {
  const { world, keeper, asked } = await kept()
  await world.run(ttl - margin - 1, nothing)
  t.ok(keeper.isHeld())
  t.ok(asked.length >= 2, `${asked.length} tries`)
  t.equal(keeper.state, 'held')
  t.match(keeper.problem, { code: 'unreachable', message: 'no answer within 3334 ms' })
  await world.run(ttl - margin, nothing)
  t.notOk(keeper.isHeld())
  await world.run(ttl - margin + 1, nothing)
  t.ok(keeper.signal.aborted)
  t.match(keeper.signal.reason, {
    code: 'lost',
    message: 'the lease web of epoch 7 is lost: no answer within 3334 ms',
  })
  t.throws(() => keeper.check(), { name: 'LeaseError', code: 'lost' })
  for (const { answer } of asked) answer()
  await world.run(ttl, nothing)
  t.equal(keeper.state, 'lost', 'an answer that is late changes nothing')
  t.equal(keeper.renewals, 0)
})

t.test('one that is stopped knows that it is lost before anything is done', async t => {
  const { world, process, keeper, asked } = await kept()
  await world.run(3400, nothing)
  process.stop(ttl)
  // answered while it was stopped: it hears of it when it goes on
  process.later(0, () => asked[0]!.answer())
  await world.run(ttl, nothing)
  t.notOk(keeper.isHeld(), 'no timer was called')
  t.notOk(keeper.signal.aborted)
  t.equal(keeper.state, 'lost')
  await world.run(ttl * 2, nothing)
  t.notOk(keeper.isHeld(), 'and so it stays, whatever was answered meanwhile')
  t.ok(keeper.signal.aborted)
})

t.test('it is lost at once where the store says so', async t => {
  const { world, keeper, asked, released } = await kept()
  await world.run(3400, nothing)
  asked[0]!.fail(new LeaseError('lost', "it is another's"))
  await world.run(3401, nothing)
  t.notOk(keeper.isHeld())
  t.match(keeper.signal.reason, { code: 'lost', message: "the lease web of epoch 7 is lost: it is another's" })
  await keeper.release()
  t.equal(keeper.state, 'lost')
  t.strictSame(released, [], 'what is lost is not given up')
})

t.test('another error is a try that failed', async t => {
  const { world, keeper, asked } = await kept()
  await world.run(3400, nothing)
  asked[0]!.fail(new LeaseError('refused', 'no space'))
  await world.run(3900, nothing)
  t.equal(asked.length, 2)
  asked[1]!.answer()
  await world.run(3901, nothing)
  t.equal(keeper.renewals, 1)
  t.equal(keeper.problem, undefined)
})

t.test('it is given up once', async t => {
  const { world, keeper, asked, released } = await kept()
  await world.run(3400, nothing)
  await Promise.all([keeper.release(), keeper.release()])
  t.equal(released.length, 1)
  t.notOk(keeper.isHeld())
  t.equal(keeper.state, 'released')
  t.ok(keeper.signal.aborted)
  asked[0]!.answer()
  await world.run(ttl * 2, nothing)
  t.equal(keeper.renewals, 0)
  t.equal(asked.length, 1, 'it is not renewed any more')
})

t.test('a margin may be longer than it has to be, and no shorter', async t => {
  t.equal(leaseMargin(10_000), 1500)
  t.equal(leaseMargin(2000), 700)
  const { clock } = new ModelProcess(new World(), 1, 0)
  const grant = { name: 'web', holder: 'anna', epoch: 1, attempt: '', ttl, since: 0, token: '' }
  const never = () => Promise.reject(new Error('not asked'))
  const store = { clock, acquire: async () => grant, renew: never, release: never, look: never, watch: never } as never
  const hold = (margin: number) => holdLease(store, 'web', { holder: 'anna', ttl, margin })
  t.equal((await hold(4000)).remaining(), 6000)
  await t.rejects(hold(0), { code: 'ERR_OUT_OF_RANGE', message: 'margin must be an integer from 1500 to 5000, not 0' })
  await t.rejects(hold(6000), RangeError)
  await t.rejects(holdLease(store, 'web', { holder: 'anna', ttl: 1000 }), /ttl must be an integer from 2000/)
  await t.rejects(holdLease(store, 'a/b', { holder: 'anna', ttl }), { code: 'ERR_INVALID_ARG_VALUE' })
})
