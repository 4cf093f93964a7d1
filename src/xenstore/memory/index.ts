import { EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.js'

export type { EmbeddedStore, EmbeddedStoreOptions } from './embedded-store.js'
export type { QuotaName, Quotas } from './quotas.js'
export type { Listener } from './unix-listener.js'

/** A store of its own, empty as a xenstored that has just started. */
export const embeddedStore = (options?: EmbeddedStoreOptions): EmbeddedStore => new EmbeddedStore(options)
