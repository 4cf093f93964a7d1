import { setImmediate } from 'node:timers/promises'
import type { LeaseClock } from 'xenlight/lease'

interface Happening {
  time: number
  order: number
  happens: () => void
  isOff: boolean
}

/** True time, in milliseconds, and what happens in it: nothing is real, and all of it depends on what is scheduled alone. */
export class World {
  time = 0
  #order = 0
  readonly #happenings: Happening[] = []

  /** Has something happen, in so many milliseconds of true time. */
  later(delay: number, happens: () => void): Disposable {
    const happening = { time: this.time + Math.max(0, delay), order: this.#order++, happens, isOff: false }
    const all = this.#happenings
    let place = all.length
    while (place > 0 && all[place - 1]!.time > happening.time) place--
    all.splice(place, 0, happening)
    return {
      [Symbol.dispose]() {
        happening.isOff = true
      },
    }
  }

  /** Lets time pass. `look` is called after each thing that happened and all that follows from it at once. */
  async run(until: number, look: () => void): Promise<void> {
    await setImmediate()
    for (;;) {
      const [next] = this.#happenings
      if (next === undefined || next.time > until) break
      this.#happenings.shift()
      if (next.isOff) continue
      this.time = next.time
      next.happens()
      await setImmediate()
      look()
    }
    this.time = until
  }
}

/** A process in that world: its clock goes at a rate of its own, and while it is stopped nothing happens to it. */
export class ModelProcess {
  readonly #world: World
  readonly #rate: number
  readonly #offset: number
  #stoppedUntil = 0

  constructor(world: World, rate: number, offset: number) {
    this.#world = world
    this.#rate = rate
    this.#offset = offset
  }

  readonly clock: LeaseClock = {
    uptime: () => this.#offset + this.#world.time * this.#rate,
    after: (time, call) => this.later(time / this.#rate, call),
  }

  stop(time: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#world.time + time)
  }

  /** Has something happen to it, in so many milliseconds of true time, or once it goes on. */
  later(delay: number, call: () => void): Disposable {
    let isOff = false
    const happens = () => {
      if (isOff) return
      if (this.#world.time < this.#stoppedUntil) this.#world.later(this.#stoppedUntil - this.#world.time, happens)
      else call()
    }
    this.#world.later(delay, happens)
    return {
      [Symbol.dispose]() {
        isOff = true
      },
    }
  }
}
