import type { Duplex } from '../duplex.js'
import { MemoryDuplex } from './memory-duplex.js'
import { defaultQuotas, type Quotas } from './quotas.js'
import { Store } from './store.js'
import { type Listener, listenOnSocket } from './unix-listener.js'

export interface EmbeddedStoreOptions {
  /** What guests may use, where that is not xenstored's default; 0: as much as they like. */
  quotas?: Partial<Quotas> | undefined
  /** Guests that are introduced from the beginning; the store knows domain 0 anyway. */
  domains?: readonly number[] | undefined
}

/** A xenstored in this process, for tests, examples and dry runs: see `embeddedStore`. */
export class EmbeddedStore implements AsyncDisposable {
  readonly #store: Store
  readonly #listeners = new Set<Listener>()

  constructor({ quotas, domains = [] }: EmbeddedStoreOptions = {}) {
    this.#store = new Store({ ...defaultQuotas, ...quotas }, domains)
  }

  /** A connection's bytes; its domain is introduced by it where it is not yet. Domain 0 by default. */
  duplex({ domid = 0 }: { domid?: number | undefined } = {}): Duplex {
    const { domains } = this.#store
    return new MemoryDuplex(this.#store, domains.introduced(domid) ?? this.#store.introduce(domid))
  }

  /**
   * Listens on a unix socket for other programs, which are domain 0 to the store. The socket of a dead server is replaced.
   *
   * @throws XenstoreError EADDRINUSE, or another of the system's codes
   */
  async listen(path: string): Promise<Listener> {
    const listener = await listenOnSocket(this.#store, path)
    this.#listeners.add(listener)
    return listener
  }

  /** Ends all connections and listeners. */
  async close(): Promise<void> {
    for (const session of this.#store.sessions) session.end()
    await Promise.all([...this.#listeners].map(listener => listener.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
