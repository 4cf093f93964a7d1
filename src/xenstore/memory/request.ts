import type { Buffer } from 'node:buffer'
import { canonicalPath } from './canonical-path.js'
import type { Domain } from './domains.js'
import { onlyString } from './payload.js'
import type { Peer } from './peer.js'
import type { Store } from './store.js'
import type { StoreTransaction } from './store-transaction.js'
import type { Nodes } from './tree.js'

export interface Request {
  readonly store: Store
  readonly session: Peer
  readonly domain: Domain
  readonly payload: Buffer
  readonly transactionId: number
  readonly transaction: StoreTransaction | undefined
  /** What the request is about: the transaction, or else the store. */
  readonly nodes: Nodes
  /** What is to happen once the reply is out. */
  afterReply?: () => void
}

export interface Handler {
  /** The reply; text gets a NUL at its end; undefined is "OK". @throws Refusal */
  answer(request: Request): Buffer | string | undefined
  /** Only for domain 0. */
  readonly privileged?: true
  /** The transaction that the request names does not matter. */
  readonly outsideTransactions?: true
}

/** The path that a request names, absolute. @throws Refusal EINVAL */
export const pathOf = ({ store, domain }: Request, path: string, special = false): string =>
  canonicalPath(store.domains, domain, path, special)

/** The same where the path is all of the payload. @throws Refusal EINVAL */
export const onlyPath = (request: Request, special = false): string =>
  pathOf(request, onlyString(request.payload), special)
