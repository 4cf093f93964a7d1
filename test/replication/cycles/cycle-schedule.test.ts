import t from 'tap'
import { scheduleCycles } from '#xenlight/replication/cycles/cycle-schedule.js'

/** A clock that goes when it is told, and its timers. */
function clock() {
  let time = 0
  let timers: { due: number; then: () => void }[] = []
  return {
    now: () => time,
    timer: (milliseconds: number, then: () => void) => {
      const timer = { due: time + milliseconds, then }
      timers.push(timer)
      return () => {
        timers = timers.filter(one => one !== timer)
      }
    },
    /** Timers that are due fire in their order; a process that slept sees them late. */
    async to(end: number, isAsleep = false) {
      if (isAsleep) time = end
      for (;;) {
        const next = timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
        if (next === undefined) break
        timers = timers.filter(one => one !== next)
        time = Math.max(time, next.due)
        next.then()
        await Promise.resolve()
      }
      time = end
    },
    get waiting() {
      return timers.length
    },
  }
}

t.test('at regular times, whatever a cycle takes', async t => {
  const its = clock()
  const times: number[] = []
  const cycle = async () => {
    times.push(its.now())
    if (times.length === 3) throw new Error('one that fails')
  }
  const schedule = scheduleCycles({ cycle }, 1000, its)
  await its.to(3500)
  t.same(times, [1000, 2000, 3000])
  await its.to(7300, true)
  t.same(times.slice(3), [7300], 'times that were slept through are not made up for')
  await its.to(9100)
  t.same(times.slice(4), [8000, 9000], 'and the next ones are at their own')
  schedule[Symbol.dispose]()
  t.equal(its.waiting, 0)
  await its.to(20_000)
  t.equal(times.length, 6)
})

t.test('wrong arguments', async t => {
  t.throws(() => scheduleCycles({} as never, 1000), { name: 'TypeError' })
  for (const every of [0, -1, 0.5, Number.NaN, 2 ** 31])
    t.throws(() => scheduleCycles({ cycle: async () => {} }, every), { name: 'RangeError' })
})
