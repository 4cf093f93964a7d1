import { ProtocolDError } from '../protocol-d-error.js'

/**
 * What a guest asks of a disk, as long as a guard lets it. What it does not let, and what has begun and waits, is never answered: it ends when the
 * guest's connection was cut.
 */
export class GuardedBackend {
  readonly #mayServe: () => boolean
  readonly #waiting = new Set<() => void>()

  constructor(mayServe: () => boolean) {
    this.#mayServe = mayServe
  }

  /** Does a part of a guest's work. */
  run<Value>(work: () => Value | Promise<Value>): Value | Promise<Value> {
    if (!this.#mayServe()) return this.#untilCut(new Promise<never>(() => {}))
    const done = work()
    return done instanceof Promise ? this.#untilCut(done) : done
  }

  /** Its connections were cut: nobody waits for what has begun. */
  cut(): void {
    for (const end of this.#waiting) end()
    this.#waiting.clear()
  }

  #untilCut<Value>(done: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const end = () => reject(noLease())
      this.#waiting.add(end)
      const over = () => this.#waiting.delete(end)
      done.finally(over).then(resolve, reject)
    })
  }
}

export const noLease = (): ProtocolDError =>
  new ProtocolDError('no-lease', 'the lease of this node is over: nothing is promised any more')
