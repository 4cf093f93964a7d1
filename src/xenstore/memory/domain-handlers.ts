import type { Operation } from '../operation.js'
import { domainPath } from './canonical-path.js'
import { type Domain, domidSelf, isPrivileged } from './domains.js'
import { atLeast, onlyString, parseDomid, parseNumber } from './payload.js'
import { Refusal } from './refusal.js'
import type { Handler, Request } from './request.js'

function introduce({ store, payload }: Request): undefined {
  const [domid, , port] = atLeast(payload, 3)
  const introduced = parseDomid(domid)
  if (parseNumber(port) <= 0 || store.domains.get(introduced) === undefined) throw new Refusal('EINVAL')
  store.introduce(introduced)
}

function setTarget({ store, payload }: Request): undefined {
  const [domid, target] = atLeast(payload, 2).slice(0, 2).map(parseDomid)
  const domain = store.domains.introduced(domid!)
  if (domain === undefined || store.domains.introduced(target!) === undefined) throw new Refusal('ENOENT')
  domain.target = target
}

/** The introduced guest that a request is about. */
function guest({ store, payload }: Request): Domain {
  const domain = store.domains.introduced(parseDomid(onlyString(payload)))
  if (domain === undefined) throw new Refusal('ENOENT')
  if (isPrivileged(domain)) throw new Refusal('EINVAL')
  return domain
}

function isIntroduced({ store, payload }: Request): string {
  const domid = parseDomid(onlyString(payload))
  return domid === domidSelf || store.domains.introduced(domid) !== undefined ? 'T' : 'F'
}

function resume(request: Request): undefined {
  // Domains of the embedded store never shut down, so that there is nothing to forget.
  guest(request)
}

export const domainHandlers = {
  INTRODUCE: { answer: introduce, privileged: true },
  RELEASE: { answer: request => request.store.release(guest(request).domid), privileged: true },
  RESUME: { answer: resume, privileged: true },
  SET_TARGET: { answer: setTarget, privileged: true },
  IS_DOMAIN_INTRODUCED: { answer: isIntroduced, privileged: true },
  GET_DOMAIN_PATH: { answer: ({ payload }) => domainPath(parseDomid(onlyString(payload))) },
} as const satisfies Partial<Record<Operation, Handler>>
