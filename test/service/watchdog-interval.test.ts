import t from 'tap'
import { watchdogInterval } from '#xenlight/service/watchdog-interval.js'

t.test('a third of the time, and only for whom it is meant', async t => {
  for (const [environment, expected] of [
    [{}, undefined],
    [{ WATCHDOG_USEC: '30000000' }, 10_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '77' }, 10_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '78' }, undefined],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '' }, undefined],
    [{ WATCHDOG_USEC: '1' }, 1],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: '18446744073709551615' }, undefined],
    [{ WATCHDOG_USEC: '3e6' }, undefined],
    [{ WATCHDOG_USEC: '' }, undefined],
    [{ WATCHDOG_PID: '77' }, undefined],
  ] as const)
    t.equal(watchdogInterval(environment, 77), expected, JSON.stringify(environment))
})
