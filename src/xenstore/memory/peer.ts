import type { Domain } from './domains.js'
import type { StoreTransaction } from './store-transaction.js'

/** One of the store's connections, as the store and the requests see it. */
export interface Peer {
  readonly domain: Domain
  readonly transactions: Map<number, StoreTransaction>
  sendEvent(path: string, token: string): void
  /** Keeps a new transaction; its number. */
  begin(transaction: StoreTransaction): number
  /** Drops all watches and transactions. */
  reset(): undefined
  /** Closes the connection from the store's side. */
  end(): void
}
