import type { Timer } from './timer.js'
import type { GateSink } from './write-gate.js'

/** Passes all on to a target, and calls back once when it has not answered something for so many milliseconds. */
export class StallWatch implements GateSink, Disposable {
  readonly #sink: GateSink
  readonly #limit: number
  readonly #timer: Timer
  readonly #stalled: () => void
  /** What is not answered, the oldest first. */
  readonly #pending = new Set<{ since: number }>()
  #cancel: (() => void) | undefined
  #isOver = false

  constructor(sink: GateSink, { limit, timer, stalled }: { limit: number; timer: Timer; stalled: () => void }) {
    this.#sink = sink
    this.#limit = limit
    this.#timer = timer
    this.#stalled = stalled
  }

  get size(): number {
    return this.#sink.size
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    return this.#watch(this.#sink.write(offset, data))
  }

  writeZeroes(offset: number, length: number): void | Promise<void> {
    return this.#watch(this.#sink.writeZeroes(offset, length))
  }

  flush(): void | Promise<void> {
    return this.#watch(this.#sink.flush())
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#cancel?.()
  }

  #watch(answer: void | Promise<void>): void | Promise<void> {
    if (answer === undefined || this.#isOver) return answer
    const entry = { since: performance.now() }
    this.#pending.add(entry)
    if (this.#cancel === undefined) this.#wait(this.#limit)
    return answer.finally(() => this.#pending.delete(entry))
  }

  #wait(time: number): void {
    this.#cancel = this.#timer(time, () => {
      this.#cancel = undefined
      if (this.#isOver) return
      const [oldest] = this.#pending
      if (oldest === undefined) return
      const left = oldest.since + this.#limit - performance.now()
      if (left > 0) return this.#wait(left)
      this.#isOver = true
      this.#stalled()
    })
  }
}
