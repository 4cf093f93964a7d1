import type { Xenstore } from '../xenstore.js'
import { type EmbeddedClientOptions, EmbeddedStore, type EmbeddedStoreOptions } from './embedded-store.js'
import type { Listener } from './unix-listener.js'

export type { EmbeddedClientOptions, EmbeddedStore, EmbeddedStoreOptions } from './embedded-store.js'
export type { QuotaName, Quotas } from './quotas.js'
export type { Listener }

/** A store in this process, as empty as a xenstored's that has just started, for several clients and other programs. */
export const embeddedStore = (options?: EmbeddedStoreOptions): EmbeddedStore => new EmbeddedStore(options)

/** A client of a store of its own, through which others reach it too. Its end is the store's. */
export interface MemoryStore extends Xenstore {
  /** Another client of the same store, as any domain. @throws XenstoreError EINVAL where the options are no good */
  connect(options?: EmbeddedClientOptions): Xenstore
  /** See `EmbeddedStore.listen`. */
  listen(path: string): Promise<Listener>
}

/** What `connect` returns, without a daemon: a client of an embedded store. */
export function memoryStore(options: EmbeddedStoreOptions & EmbeddedClientOptions = {}): MemoryStore {
  const embedded = embeddedStore(options)
  const client = embedded.connect(options)
  const end = client.close.bind(client)
  const close = async () => {
    await end()
    await embedded.close()
  }
  return Object.assign(client, {
    connect: (others?: EmbeddedClientOptions) => embedded.connect(others),
    listen: (path: string) => embedded.listen(path),
    close,
    [Symbol.asyncDispose]: close,
  })
}
