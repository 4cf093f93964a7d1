import { setTimeout as delay } from 'node:timers/promises'

/** How often checkpoints are taken: every so many milliseconds. */
export const interval = 50

/** Comes so many times, an interval after each other, or at once where the work takes longer than that. */
export async function* tick(times: number): AsyncGenerator<void> {
  for (let next = performance.now(), left = times; left > 0; left--) {
    next += interval
    await delay(Math.max(0, next - performance.now()))
    yield
  }
}
