import type { Operation } from '../operation.js'
import { absolutePath, domainPath, isRelative } from './canonical-path.js'
import { featureBits } from './domains.js'
import { atLeast, parseNumber, stringsOf } from './payload.js'
import { Refusal } from './refusal.js'
import { type Handler, pathOf, type Request } from './request.js'
import { sendEvent } from './watches.js'

function watch(request: Request): undefined {
  const { session, domain, store } = request
  const [name, token, depth] = atLeast(request.payload, 2) as [string, string, string?]
  if (stringsOf(request.payload).length > (domain.features & featureBits ? 3 : 2)) throw new Refusal('EINVAL')
  const levels = depth === undefined ? Number.POSITIVE_INFINITY : parseNumber(depth)
  if (levels < 0) throw new Refusal('EINVAL')
  const path = pathOf(request, name, true)
  if (store.watches.find(session, path, token) !== undefined) throw new Refusal('EEXIST')
  if (store.watches.countOf(domain.domid) >= store.domains.limit(domain, 'watches')) throw new Refusal('E2BIG')
  const hidden = isRelative(name) ? domainPath(domain.domid).length + 1 : 0
  const added = { session, path, token, depth: levels, hidden }
  store.watches.add(added)
  request.afterReply = () => sendEvent(added, path)
}

function unwatch(request: Request): undefined {
  const { session, domain, store } = request
  const [name, token, ...others] = stringsOf(request.payload)
  if (name === undefined || token === undefined || others.length > 0) throw new Refusal('EINVAL')
  const found = store.watches.find(session, absolutePath(domain, name), token)
  if (found === undefined) throw new Refusal('ENOENT')
  store.watches.delete(found)
}

export const watchHandlers = {
  WATCH: { answer: watch, outsideTransactions: true },
  UNWATCH: { answer: unwatch, outsideTransactions: true },
  RESET_WATCHES: { answer: ({ session }) => session.reset() },
} as const satisfies Partial<Record<Operation, Handler>>
