import type { AgentClock } from '#xenlight/replication/agent/agent-clock.js'

/** What is not waited for by the clock: what is to be done in so many milliseconds is to be done soon. */
const moment = 5

/** A clock that goes when it is told to. */
export class PlayedClock implements AgentClock {
  #uptime = 1000
  /** What the wall clock is ahead of the uptime, in milliseconds. */
  #wall = 1_700_000_000_000
  #soon: (() => void)[] = []
  #timers: { at: number; call: () => void }[] = []

  now(): number {
    return (this.#uptime + this.#wall) * 1000
  }

  uptime(): number {
    return this.#uptime
  }

  after(milliseconds: number, call: () => void): Disposable {
    const timer = { at: this.#uptime + milliseconds, call }
    if (milliseconds <= moment) this.#soon.push(call)
    else this.#timers.push(timer)
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter(one => one !== timer)
        this.#soon = this.#soon.filter(one => one !== call)
      },
    }
  }

  soon(call: () => void): void {
    this.#soon.push(call)
  }

  get isBusy(): boolean {
    return this.#soon.length > 0
  }

  /** Does the next of what was to be done soon. */
  step(): void {
    this.#soon.shift()?.()
  }

  /** Time goes by, and timers with it. */
  pass(milliseconds: number): void {
    this.#uptime += milliseconds
    for (const { call } of this.#timers.filter(({ at }) => at <= this.#uptime)) {
      this.#timers = this.#timers.filter(one => one.call !== call)
      call()
    }
  }

  /** Somebody sets the wall clock. */
  jump(milliseconds: number): void {
    this.#wall += milliseconds
  }

  /** Nothing is left of the process that had asked for it. */
  forget(): void {
    this.#soon = []
    this.#timers = []
  }
}
