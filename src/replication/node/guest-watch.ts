import { setTimeout as delay } from 'node:timers/promises'

/** How long a client is waited for whose connection broke, in milliseconds: a QEMU connects again, within its `reconnect-delay`. */
const comesAgainWithin = 15_000
/** How long it looks before it says that somebody is there, and how often, in milliseconds. */
const lookFor = 1000
const lookEvery = 100

/** Who has exports: how many clients of one there are. */
type Clients = (exportName: string) => number

/** Watches whether a recovery guest has its disks. */
export class GuestWatch {
  readonly #clients: Clients
  readonly #uptime: () => number
  /** When a client of an export was lost that did not take its leave, by the uptime. */
  readonly #lost = new Map<string, number>()

  /** @param uptime in milliseconds */
  constructor(clients: Clients, uptime: () => number = () => performance.now()) {
    this.#clients = clients
    this.#uptime = uptime
  }

  /** A client has gone; `how` says whether it took its leave. */
  left(exportName: string, how: 'goodbye' | 'lost'): void {
    this.#forget()
    this.#lost.delete(exportName)
    if (how === 'lost') this.#lost.set(exportName, this.#uptime())
  }

  /** How many clients some exports have. */
  clients(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + this.#clients(name), 0)
  }

  /** Whether the clients of some exports have gone, and none of them is to come again: known at once where it is so, after a second where not. */
  async haveGone(names: readonly string[], signal?: AbortSignal): Promise<boolean> {
    const end = this.#uptime() + lookFor
    while (!this.#areGone(names)) {
      if (signal?.aborted === true || this.#uptime() >= end) return false
      await delay(lookEvery, undefined, { signal }).catch(() => {})
    }
    return true
  }

  #areGone(names: readonly string[]): boolean {
    this.#forget()
    return this.clients(names) === 0 && !names.some(name => this.#lost.has(name))
  }

  /** Those that did not come again. */
  #forget(): void {
    const oldest = this.#uptime() - comesAgainWithin
    for (const [name, at] of this.#lost) if (at < oldest) this.#lost.delete(name)
  }
}
