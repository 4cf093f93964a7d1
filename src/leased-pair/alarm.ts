import type { LeaseClock } from '../lease/lease-clock.js'

/** What ends a waiting. */
export type Ring = 'change' | 'lease' | 'order'

/** Lets one wait for a time, or until it is woken. What rings while nobody waits, ends the next waiting. */
export class Alarm {
  readonly #clock: LeaseClock
  #rung = new Set<Ring>()
  #ringing: (() => void) | undefined

  constructor(clock: LeaseClock) {
    this.#clock = clock
  }

  ring(by: Ring): void {
    this.#rung.add(by)
    this.#ringing?.()
  }

  /** What has rung until now is known. */
  reset(): void {
    this.#rung.clear()
  }

  /** Waits for a time, in milliseconds, or until one of these rings. */
  wait(time: number, rings: readonly Ring[] = ['change', 'lease', 'order']): Promise<void> {
    return new Promise(resolve => {
      const end = () => {
        timer[Symbol.dispose]()
        this.#ringing = undefined
        resolve()
      }
      const timer = this.#clock.after(time, end)
      this.#ringing = () => {
        if (rings.some(one => this.#rung.has(one))) end()
      }
      this.#ringing()
    })
  }
}
