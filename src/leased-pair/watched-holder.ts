import type { LeaseStore } from '../lease/lease-store.js'

/** How long after a watch has failed another one is begun, in milliseconds. */
const retryDelay = 1000

/** Who has a lease, as far as its store says. */
export class WatchedHolder {
  #holder: string | undefined

  /** @param changed called whenever it is said, with whether nobody has it */
  constructor(leases: LeaseStore, name: string, signal: AbortSignal, changed: (isFree: boolean) => void) {
    void this.#watch(leases, name, signal, changed)
  }

  /** Undefined where nobody has it, or that is not known. */
  get holder(): string | undefined {
    return this.#holder
  }

  async #watch(leases: LeaseStore, name: string, signal: AbortSignal, changed: (isFree: boolean) => void) {
    while (!signal.aborted) {
      try {
        for await (const { holder } of leases.watch(name, { signal })) {
          this.#holder = holder
          changed(holder === undefined)
        }
      } catch {
        // what was said may be old
        this.#holder = undefined
        if (!signal.aborted) await new Promise<void>(resolve => leases.clock.after(retryDelay, resolve))
      }
    }
  }
}
