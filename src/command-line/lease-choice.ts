import { isLeaseName } from '../lease/lease-name.js'
import { checkTtl } from '../lease/lease-time.js'
import { readEndpoint } from '../lease/node/etcd-endpoint.js'
import { type Etcd, openEtcd } from '../lease/node/open-etcd.js'
import { certificates } from './certificates.js'
import type { LeaseOptionName } from './lease-options.js'
import { readTime } from './read-value.js'
import { UsageError } from './usage-error.js'

const usualTtl = 10_000

/** Who keeps leases. */
export interface EtcdChoice {
  /** The members of one cluster of etcd. */
  endpoints: readonly string[]
  /** A folder of certificates. */
  tls: string | undefined
}

/** Which lease a command serves under, and who keeps it. */
export interface LeaseChoice extends EtcdChoice {
  name: string
  /** In milliseconds. */
  ttl: number
}

/** A command's options, those of `leaseOptions` among them. */
interface LeaseLine {
  readonly values: ReadonlyMap<string, readonly string[]>
}

const lastOf = ({ values }: LeaseLine, name: LeaseOptionName): string | undefined => values.get(name)?.at(-1)

const endpointsOf = ({ values }: LeaseLine): string[] => (values.get('etcd') ?? []).flatMap(value => value.split(','))

/** What the options say of a cluster that is only asked. @throws UsageError */
export function readEtcdChoice(line: LeaseLine, verb: string): EtcdChoice {
  const endpoints = endpointsOf(line)
  const tls = lastOf(line, 'etcd-tls')
  if (endpoints.length === 0) throw new UsageError(`${verb} needs --etcd URL,URL…: who is asked?`)
  for (const endpoint of endpoints) checkEndpoint(endpoint, tls !== undefined)
  return { endpoints, tls }
}

/** What the options of `leaseOptions` say; undefined without `--lease`. @throws UsageError */
export function readLeaseChoice(line: LeaseLine): LeaseChoice | undefined {
  const name = lastOf(line, 'lease')
  const endpoints = endpointsOf(line)
  const tls = lastOf(line, 'etcd-tls')
  const ttl = lastOf(line, 'lease-ttl')
  if (name === undefined) {
    if (endpoints.length > 0 || tls !== undefined || ttl !== undefined)
      throw new UsageError('--etcd, --etcd-tls and --lease-ttl need --lease NAME')
    return undefined
  }
  if (!isLeaseName(name))
    throw new UsageError(`--lease takes a name of letters, digits, '.', '_' and '-', not '${name}'`)
  if (endpoints.length === 0) throw new UsageError('--lease needs --etcd URL,URL…: who keeps it?')
  for (const endpoint of endpoints) checkEndpoint(endpoint, tls !== undefined)
  return { name, endpoints, tls, ttl: ttl === undefined ? usualTtl : readTtl(ttl) }
}

function checkEndpoint(endpoint: string, hasCertificates: boolean): void {
  try {
    const { isSecure } = readEndpoint('--etcd', endpoint)
    if (isSecure === hasCertificates) return
  } catch {
    throw new UsageError(`--etcd takes URLs such as http://10.0.0.1:2379, not '${endpoint}'`)
  }
  throw new UsageError(
    hasCertificates ? `--etcd-tls is for https, not ${endpoint}` : `${endpoint} needs --etcd-tls DIR`,
  )
}

function readTtl(text: string): number {
  const ttl = readTime('--lease-ttl', text)
  try {
    checkTtl(ttl)
  } catch {
    throw new UsageError(`--lease-ttl takes a time from 2s to 60m, not '${text}'`)
  }
  return ttl
}

/** The cluster that keeps it. Nobody is asked yet. @throws SystemError where a certificate cannot be read */
export const openLeaseEtcd = ({ endpoints, tls }: EtcdChoice): Etcd =>
  openEtcd({ endpoints, tls: tls === undefined ? undefined : certificates(tls) })
