import { relativePathMax } from '../check-path.js'
import type { Domain, Domains } from './domains.js'
import { Refusal } from './refusal.js'

/**
 * The absolute path that is meant by a domain's path, which may be relative to its own home; with `special` also what
 * begins with "@". @throws Refusal EINVAL
 */
export function canonicalPath(domains: Domains, domain: Domain, path: string, special = false): string {
  if (/[^-A-Za-z0-9/_@]/.test(path) || (path.startsWith('@') && !special)) throw new Refusal('EINVAL')
  const absolute = absolutePath(domain, path)
  if ((absolute.endsWith('/') && absolute !== '/') || absolute.includes('//')) throw new Refusal('EINVAL')
  // A home does not count; the protocol's limit is domain 0's too.
  const home = /^\/local\/domain\/[0-9]{1,5}\//.exec(absolute)?.[0].length ?? 0
  if (absolute.length - home > Math.min(domains.limit(domain, 'path-max'), relativePathMax)) throw new Refusal('EINVAL')
  return absolute
}

/** The same without a look at what it is made of. */
export const absolutePath = (domain: Domain, path: string): string =>
  isRelative(path) ? `${domainPath(domain.domid)}/${path}` : path

export const isRelative = (path: string): boolean => !path.startsWith('/') && !path.startsWith('@')

export const domainPath = (domid: number): string => `/local/domain/${domid}`
