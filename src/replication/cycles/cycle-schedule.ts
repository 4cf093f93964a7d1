import { checkInteger, checkMethods } from '../../check-argument.js'
import { longestTimeout } from '../../link/limits.js'
import { type Timer, usualTimer } from './timer.js'

/**
 * Takes cycles at regular times. One that is due while another is under way is left out, and the runner says so (`skipped`): the next
 * one is at its own time.
 *
 * @param every in milliseconds
 * @returns what ends it
 */
export function scheduleCycles(
  runner: { cycle(reason?: string): Promise<unknown> },
  every: number,
  { timer = usualTimer, now = () => performance.now() }: { timer?: Timer; now?: () => number } = {},
): Disposable {
  checkMethods('runner', runner, ['cycle'], 'a runner of cycles')
  checkInteger('every', every, 1, longestTimeout)
  const start = now()
  let count = 0
  let cancel = () => {}
  const wait = () => {
    // times that this process has slept through are not made up for
    count = Math.max(count + 1, Math.ceil((now() - start) / every))
    cancel = timer(Math.max(0, start + count * every - now()), () => {
      wait()
      runner.cycle('a cycle by the clock').catch(() => {})
    })
  }
  wait()
  return { [Symbol.dispose]: () => cancel() }
}
