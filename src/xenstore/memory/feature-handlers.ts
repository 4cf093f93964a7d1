import type { Operation } from '../operation.js'
import { type Domain, featureBits, isPrivileged } from './domains.js'
import { parseDomid, parseNumber, stringsOf } from './payload.js'
import { isQuotaName, type QuotaName, quotaNames } from './quotas.js'
import { Refusal } from './refusal.js'
import type { Handler, Request } from './request.js'

function getFeature({ store, domain, payload }: Request): string {
  const strings = stringsOf(payload)
  if (strings.length === 0) return String(domain.features)
  if (!isPrivileged(domain)) throw new Refusal('EACCES')
  if (strings.length > 1) throw new Refusal('EINVAL')
  return String(knownDomain(store, strings[0]).features)
}

function setFeature({ store, payload }: Request): undefined {
  const [domid, value, ...others] = stringsOf(payload)
  if (value === undefined || others.length > 0) throw new Refusal('EINVAL')
  const domain = knownDomain(store, domid)
  const features = parseNumber(value)
  if (domain.introduced) throw new Refusal('EBUSY')
  if ((features & ~featureBits) !== 0) throw new Refusal('EINVAL')
  domain.features = features
}

function getQuota({ store, payload }: Request): string {
  const strings = stringsOf(payload)
  if (strings.length > 2) throw new Refusal('EINVAL')
  if (strings.length === 0) return quotaNames.join(' ')
  const domain = strings.length === 2 ? knownDomain(store, strings[0]) : undefined
  const name = knownQuota(strings.at(-1))
  return String(domain?.quotas[name] ?? store.domains.defaults[name])
}

function setQuota({ store, payload }: Request): undefined {
  const strings = stringsOf(payload)
  if (strings.length < 2 || strings.length > 3) throw new Refusal('EINVAL')
  const quotas = strings.length === 3 ? knownDomain(store, strings[0]).quotas : store.domains.defaults
  quotas[knownQuota(strings.at(-2))] = parseNumber(strings.at(-1)) >>> 0
}

function knownDomain({ domains }: Request['store'], domid: string | undefined): Domain {
  const domain = domains.get(parseDomid(domid))
  if (domain === undefined) throw new Refusal('ENOENT')
  return domain
}

function knownQuota(name: string | undefined): QuotaName {
  if (name === undefined || !isQuotaName(name)) throw new Refusal('EINVAL')
  return name
}

export const featureHandlers = {
  GET_FEATURE: { answer: getFeature },
  SET_FEATURE: { answer: setFeature, privileged: true },
  GET_QUOTA: { answer: getQuota, privileged: true },
  SET_QUOTA: { answer: setQuota, privileged: true },
} as const satisfies Partial<Record<Operation, Handler>>
