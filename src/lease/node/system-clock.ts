import { uptime } from 'node:os'
import { longestTimeout } from '../../link/limits.js'
import type { LeaseClock } from '../lease-clock.js'

/** How the two clocks stood to each other when this process began, in milliseconds. */
const offset = uptime() * 1000 - performance.now()
let last = 0

/**
 * The machine's clocks, of which none is ever set. That of `performance.now` stands still while the machine sleeps, and the time since its start goes on
 * then, in steps of 10 ms; so it is whichever is later. A virtual machine that its host has paused sees none of the time that passes.
 */
export const systemClock: LeaseClock = {
  uptime() {
    last = Math.max(last, performance.now(), uptime() * 1000 - offset)
    return last
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.min(Math.max(Math.ceil(milliseconds), 0), longestTimeout))
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
}
