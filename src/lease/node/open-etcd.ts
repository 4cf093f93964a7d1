import { checkArray, checkInteger, checkObject, wrongValue } from '../../check-argument.js'
import { checkMutualTls, type MutualTls } from '../../link/node/mutual-tls.js'
import type { Catalogue } from '../catalogue.js'
import { EtcdCatalogue } from '../etcd/etcd-catalogue.js'
import { EtcdLeaseStore } from '../etcd/etcd-lease-store.js'
import { LeaseKeys } from '../etcd/lease-keys.js'
import type { LeaseStore } from '../lease-store.js'
import { EtcdCluster } from './etcd-cluster.js'
import { readEndpoint } from './etcd-endpoint.js'
import { EtcdMember } from './etcd-member.js'
import { systemClock } from './system-clock.js'

const membersAtMost = 16

export interface EtcdOptions {
  /** The members of one cluster, each `http://HOST:PORT` or `https://HOST:PORT`. */
  endpoints: readonly string[]
  /** For https: each end takes whom `ca` has signed. */
  tls?: MutualTls | undefined
  /** What all keys begin with. `/xenlight/` by default. */
  prefix?: string | undefined
  /** How long one member may take to answer, in milliseconds. 1,000 by default. */
  tryTimeout?: number | undefined
  /** How long it may take until one of them has answered, in milliseconds. 5,000 by default. */
  timeout?: number | undefined
}

/** A cluster of etcd, as a store of leases and as a catalogue. */
export interface Etcd extends Disposable {
  readonly leases: LeaseStore
  readonly catalogue: Catalogue
  /** Ends its connections. What is asked meanwhile fails. */
  close(): void
}

/** Uses a cluster of etcd, 3.4 or later. Nobody is asked yet. @throws TypeError, RangeError; LinkError for certificates that cannot be used */
export function openEtcd(options: EtcdOptions): Etcd {
  checkObject('options', options)
  const { endpoints, tls, prefix, tryTimeout = 1000, timeout = 5000 } = options
  checkArray('endpoints', endpoints, 'URLs')
  checkInteger('the number of endpoints', endpoints.length, 1, membersAtMost)
  checkInteger('tryTimeout', tryTimeout, 1, 60_000)
  checkInteger('timeout', timeout, 1, 600_000)
  if (tls !== undefined) checkObject('tls', tls)
  const read = endpoints.map((text, index) => readEndpoint(`endpoints[${index}]`, text))
  for (const [index, { isSecure }] of read.entries()) {
    // no password goes over the network, but what the certificates were made for would be missing
    if (isSecure !== (tls !== undefined))
      throw wrongValue(
        `endpoints[${index}]`,
        tls === undefined ? 'http, without certificates' : 'https, with certificates',
        endpoints[index],
      )
  }
  if (tls !== undefined) checkMutualTls(tls)
  const keys = new LeaseKeys(prefix)
  const members = read.map(endpoint => new EtcdMember(endpoint, tls))
  const cluster = new EtcdCluster(members, { clock: systemClock, tryTimeout, timeout })
  const close = () => cluster.close()
  return {
    leases: new EtcdLeaseStore(cluster, systemClock, keys),
    catalogue: new EtcdCatalogue(cluster, systemClock, keys),
    close,
    [Symbol.dispose]: close,
  }
}
