import type { Operation } from '../operation.js'
import { onlyString } from './payload.js'
import { Refusal } from './refusal.js'
import type { Handler, Request } from './request.js'
import { StoreTransaction } from './store-transaction.js'

function start({ session, domain, store, transaction }: Request): string {
  if (transaction !== undefined) throw new Refusal('EBUSY')
  if (store.transactionsOf(domain.domid) >= store.domains.limit(domain, 'transactions')) throw new Refusal('ENOSPC')
  return String(session.begin(new StoreTransaction(store.tree, store.domains.limit(domain, 'transaction-nodes'))))
}

function end({ session, domain, store, transaction, transactionId, payload }: Request): undefined {
  const how = onlyString(payload)
  if (how !== 'T' && how !== 'F') throw new Refusal('EINVAL')
  if (transaction === undefined) throw new Refusal('ENOENT')
  session.transactions.delete(transactionId)
  if (how === 'F') return
  const more = transaction.ownedMore(domain.domid)
  const room = store.domains.limit(domain, 'nodes') - store.tree.ownedBy(domain.domid)
  if (more > 0 && more > room) throw new Refusal('ENOSPC')
  transaction.commit((path, match, node, before) => store.changed(path, match, node, before))
}

export const transactionHandlers = {
  TRANSACTION_START: { answer: start },
  TRANSACTION_END: { answer: end },
} as const satisfies Partial<Record<Operation, Handler>>
