import type { QuotaName, Quotas } from './quotas.js'

/** Stands for the asking domain. It and those above are no guests'. */
export const domidSelf = 0x7ff0

/** What the store supports: a watch's depth (XENSTORE_SERVER_FEATURE_WATCHDEPTH). */
export const featureBits = 4

/** A domain that the store knows of. */
export interface Domain {
  readonly domid: number
  introduced: boolean
  /** The domain whose rights it has besides its own. */
  target: number | undefined
  features: number
  /** What it may use where that differs from the defaults. */
  readonly quotas: Partial<Quotas>
}

export const isPrivileged = ({ domid }: Domain): boolean => domid === 0

export class Domains {
  readonly #domains = new Map<number, Domain>()
  readonly defaults: Quotas
  readonly #exists: (domid: number) => boolean

  constructor(quotas: Quotas, exists: (domid: number) => boolean) {
    this.defaults = quotas
    this.#exists = exists
    this.known(0).introduced = true
  }

  /** A domain that is introduced, or exists and may be at any time. */
  get(domid: number): Domain | undefined {
    return this.#domains.get(domid) ?? (this.#exists(domid) ? this.known(domid) : undefined)
  }

  introduced(domid: number): Domain | undefined {
    const domain = this.#domains.get(domid)
    return domain?.introduced ? domain : undefined
  }

  /** The domain, made known where it is not. */
  known(domid: number): Domain {
    let domain = this.#domains.get(domid)
    if (domain === undefined) {
      domain = { domid, introduced: false, target: undefined, features: featureBits, quotas: {} }
      this.#domains.set(domid, domain)
    }
    return domain
  }

  /** Forgets a domain, and that it was another's target. */
  forget(domid: number): void {
    this.#domains.delete(domid)
    for (const domain of this.#domains.values()) if (domain.target === domid) domain.target = undefined
  }

  /** How much of something a domain may have. */
  limit(domain: Domain, name: QuotaName): number {
    const limit = domain.quotas[name] ?? this.defaults[name]
    return isPrivileged(domain) || limit === 0 ? Number.POSITIVE_INFINITY : limit
  }
}
