import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import type { DomainType } from '../resolved-disk.js'

/** What libxl asks about a guest before it attaches a disk. */
export interface Guest {
  domainType: DomainType
  /** A device model runs for it, in this domain or in one of its own. */
  hasDeviceModel: boolean
}

export interface GuestOptions extends RequestOptions {
  /** The type, where the caller knows it. */
  domainType?: DomainType | undefined
}

/**
 * Reads what the store knows of a guest. libxl asks the hypervisor whether there is such a domain, and for its type.
 *
 * @throws LibxlError where there is no such domain, or its type isn't in the store
 */
export async function guestOf(
  store: XenstoreNodes,
  domid: number,
  { domainType, ...request }: GuestOptions = {},
): Promise<Guest> {
  const root = `/local/domain/${domid}`
  const [type, pid, domain] = await Promise.all([
    domainType ?? store.readIfPresent(typePath(domid), request),
    store.readIfPresent(`${root}/image/device-model-pid`, request),
    store.readIfPresent(root, request),
  ])
  if (domain === undefined) throw new LibxlError('domain-missing', `domain ${domid} does not exist`)
  return {
    domainType: domainTypeOf(type, domid),
    hasDeviceModel:
      pid !== undefined || (await store.readIfPresent(`${root}/image/device-model-domid`, request)) !== undefined,
  }
}

const typePath = (domid: number): string => `/libxl/${domid}/type`

function domainTypeOf(text: string | undefined, domid: number): DomainType {
  if (text === 'pv' || text === 'pvh' || text === 'hvm') return text
  const found = text === undefined ? `there is no ${typePath(domid)}` : `${typePath(domid)} is ${JSON.stringify(text)}`
  throw new LibxlError('domain-type-unknown', `the type of domain ${domid} is unknown: ${found}; give it as domainType`)
}
