import type { Grant, StoreOptions } from './lease-store.js'

/** What is known of a pair or a group: JSON, under the lease that guards it. */
export interface CatalogueRecord {
  /** The lease. */
  readonly name: string
  readonly key: string
  /** JSON. Whoever else writes to the store may have written it: check it. */
  readonly value: unknown
  /** In which epoch of the lease it was written. */
  readonly epoch: number
}

/** What happened to a record. `value` is undefined where it was removed. */
export type CatalogueChange =
  | CatalogueRecord
  | { readonly name: string; readonly key: string; readonly value: undefined }

/** Records of pairs and groups, which all may read. Those under a lease are written by its holder alone: the store checks that. */
export interface Catalogue {
  /** Writes a record. @throws LeaseError lost where the grant is another's by now, and as `LeaseStore` does; RangeError where it is too long */
  put(grant: Grant, key: string, value: unknown, options?: StoreOptions): Promise<void>
  /** Removes a record, where there is one. @throws LeaseError as `put` */
  remove(grant: Grant, key: string, options?: StoreOptions): Promise<void>
  get(name: string, key: string, options?: StoreOptions): Promise<CatalogueRecord | undefined>
  /** All of a lease, or of all of them, in the order of their names. @throws LeaseError too-many where they are more than 10,000 */
  list(name?: string, options?: StoreOptions): Promise<CatalogueRecord[]>
  /** All that there are, then each that changes, until the signal is aborted. @throws LeaseError refused, protocol, too-many, canceled */
  watch(name?: string, options?: StoreOptions): AsyncIterableIterator<CatalogueChange>
}
