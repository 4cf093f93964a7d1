import { checkFlag, checkMethods, checkObject, checkSignal } from '../check-argument.js'
import { isLeaseError, LeaseError } from './lease-error.js'
import { LeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.js'
import { checkName } from './lease-name.js'
import type { AcquireOptions, Grant, LeaseStore } from './lease-store.js'
import { checkMargin, checkTtl, leaseMargin, retryInterval } from './lease-time.js'
import { newAttempt } from './new-attempt.js'
import { pause } from './pause.js'

export interface HoldLeaseOptions extends AcquireOptions, LeaseKeeperOptions {
  /** Wait for it while another one has it, or while nobody answers. False by default. */
  wait?: boolean | undefined
}

/**
 * Acquires a lease and keeps it. All that is tried until then is one attempt: an answer that was lost is found again.
 *
 * @throws LeaseError taken, unreachable, refused, protocol, canceled; lost where it was over before the answer came
 */
export async function holdLease(store: LeaseStore, name: string, options: HoldLeaseOptions): Promise<LeaseKeeper> {
  checkMethods('store', store, ['acquire', 'renew', 'release', 'watch'], 'a store of leases')
  checkName('name', name)
  checkObject('options', options)
  const { margin, wait = false, attempt = newAttempt(), ...acquire } = options
  checkTtl(acquire.ttl)
  checkMargin(margin, acquire.ttl)
  checkFlag('wait', wait)
  checkSignal(acquire.signal)
  for (;;) {
    try {
      const grant = await store.acquire(name, { ...acquire, attempt })
      return await keep(store, grant, margin)
    } catch (error) {
      if (!wait || !isLeaseError(error, 'taken', 'unreachable', 'lost')) throw error
      if (error.code === 'taken') await isFree(store, name, acquire.signal)
      else await pause(store.clock, retryInterval(acquire.ttl), acquire.signal)
    }
  }
}

async function keep(store: LeaseStore, grant: Grant, margin = leaseMargin(grant.ttl)): Promise<LeaseKeeper> {
  if (store.clock.uptime() < grant.since + grant.ttl - margin) return new LeaseKeeper(store, grant, { margin })
  await store.release(grant).catch(() => {})
  throw new LeaseError('lost', `the lease ${grant.name} was over before its answer came`)
}

/** Waits until nobody has it. */
async function isFree(store: LeaseStore, name: string, signal: AbortSignal | undefined): Promise<void> {
  for await (const { holder } of store.watch(name, { signal })) if (holder === undefined) return
}
