import type { Xenstore } from '../xenstore.js'
import { type EmbeddedClientOptions, EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.js'

export type { EmbeddedClientOptions, EmbeddedStore, EmbeddedStoreOptions } from './embedded-store.js'
export type { QuotaName, Quotas } from './quotas.js'
export type { Listener } from './unix-listener.js'

/** A store in this process, as empty as a xenstored's that has just started, for several clients and other programs. */
export const embeddedStore = (options?: EmbeddedStoreOptions): EmbeddedStore => new EmbeddedStore(options)

/** The one client of an embedded store: what `connect` returns, without a daemon. */
export const memoryStore = (options: EmbeddedStoreOptions & EmbeddedClientOptions = {}): Xenstore =>
  embeddedStore(options).connect(options)
