import { checkArray, checkInteger, checkObject, checkOptions, shown, wrongValue } from '../../check-argument.js'
import { type ClientOptions, openXenstore } from '../client.js'
import type { Duplex } from '../duplex.js'
import type { Xenstore } from '../xenstore.js'
import { XenstoreError } from '../xenstore-error.js'
import { domidSelf } from './domains.js'
import { MemoryDuplex } from './memory-duplex.js'
import { defaultQuotas, isQuotaName, type Quotas, quotaNames } from './quotas.js'
import { Store } from './store.js'
import { type Listener, listenOnSocket } from './unix-listener.js'

export interface EmbeddedStoreOptions {
  /** What guests may use, where that is not xenstored's default; 0: as much as they like. */
  quotas?: Partial<Quotas> | undefined
  /** The guests that exist, so that they can be introduced and own nodes. All if not given; those of clients always do. */
  domains?: readonly number[] | undefined
}

export interface EmbeddedClientOptions extends ClientOptions {
  /** The domain that this client is, introduced by this if it is not. 0 by default, which may do all. */
  domid?: number | undefined
}

function checkQuotas(quotas: Partial<Record<string, unknown>>): void {
  checkObject('quotas', quotas)
  for (const [name, value] of Object.entries(quotas)) {
    if (!isQuotaName(name)) throw wrongValue('a quota', `one of ${quotaNames.join(', ')}`, name)
    if (value !== undefined) checkInteger(`quotas.${name}`, value, 0, Number.MAX_SAFE_INTEGER)
  }
}

function checkDomains(domains: unknown): void {
  checkArray('domains', domains, 'domain numbers')
  for (const [index, domid] of (domains as readonly unknown[]).entries())
    checkInteger(`domains[${index}]`, domid, 0, domidSelf - 1)
}

/** A xenstored in this process, for tests, examples and dry runs. What it holds is gone when it is. */
export class EmbeddedStore implements AsyncDisposable {
  readonly #store: Store
  readonly #listeners = new Set<Listener>()

  constructor(options: EmbeddedStoreOptions = {}) {
    checkOptions(options)
    const { quotas, domains } = options
    if (quotas !== undefined) checkQuotas(quotas)
    if (domains !== undefined) checkDomains(domains)
    const existing = domains && new Set(domains)
    const exists = (domid: number) => domid < domidSelf && existing?.has(domid) !== false
    this.#store = new Store({ ...defaultQuotas, ...quotas }, exists)
  }

  /** A client of its own. @throws XenstoreError EINVAL where the options are no good */
  connect(all: EmbeddedClientOptions = {}): Xenstore {
    checkOptions(all)
    const { domid = 0, ...options } = all
    // As many as xenstored takes from a guest.
    return openXenstore(this.duplex(domid), domid === 0 ? options : { maxInFlight: 20, ...options })
  }

  /** A connection without a client: packets in and out. @throws XenstoreError EINVAL for what is no guest's domid */
  duplex(domid = 0): Duplex {
    if (!Number.isInteger(domid) || domid < 0 || domid >= domidSelf) {
      throw new XenstoreError('EINVAL', `a domid is a number from 0 to ${domidSelf - 1}, not ${shown(domid)}`)
    }
    const { domains } = this.#store
    return new MemoryDuplex(this.#store, domains.introduced(domid) ?? this.#store.introduce(domid))
  }

  /**
   * Listens on a unix socket for other programs, which are domain 0 to the store. The socket of a dead server is replaced.
   * Only this user can connect to it.
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
