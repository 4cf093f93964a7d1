import type { AgentClock } from '../agent/agent-clock.js'

/** The machine's clocks. */
export const nodeClock: AgentClock = {
  now: () => Math.round((performance.timeOrigin + performance.now() + drift()) * 1000),
  uptime: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  },
  soon: call => setImmediate(call),
}

/** How far the wall clock has gone from where this process began to count, in milliseconds: `Date.now` alone has no microseconds. */
function drift(): number {
  const by = Date.now() - (performance.timeOrigin + performance.now())
  return Math.abs(by) < 2 ? 0 : by
}
