import t from 'tap'
import { systemClock } from '#xenlight/lease/node/system-clock.js'

t.test('the clock never goes back, and is no earlier than that of the process', async t => {
  let last = 0
  for (let look = 0; look < 1000; look++) {
    const least = performance.now()
    const now = systemClock.uptime()
    if (now < last || now < least) t.fail(`${now} after ${last}, ${least}`)
    last = now
  }
  await new Promise<void>(resolve => systemClock.after(20, resolve))
  t.ok(systemClock.uptime() >= last + 19, 'a timer is not early')
  systemClock.after(0, () => t.fail('it was taken back'))[Symbol.dispose]()
  await new Promise(resolve => setTimeout(resolve, 10))
})
