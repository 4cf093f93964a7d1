import { checkInteger, checkObject, checkSignal, checkText } from '../../check-argument.js'
import { printable } from '../../printable.js'
import { checkGrant, signalOf } from '../check-grant.js'
import type { LeaseClock } from '../lease-clock.js'
import { isLeaseError, LeaseError } from '../lease-error.js'
import { checkHolder, checkName } from '../lease-name.js'
import type { AcquireOptions, Grant, LeaseState, LeaseStore, StoreOptions } from '../lease-store.js'
import { checkTtl } from '../lease-time.js'
import { newAttempt } from '../new-attempt.js'
import { grantLease, revokeLease } from './etcd-lease.js'
import { isNotFound } from './etcd-refusal.js'
import { followRange } from './follow-range.js'
import type { Gateway } from './gateway.js'
import { grantToken, readToken } from './grant-token.js'
import { type HolderValue, holderText, readEpoch, readHolder } from './holder-value.js'
import type { KeyValue } from './key-value.js'
import type { LeaseKeys } from './lease-keys.js'
import { hasValue, put, read, remove, type TransactionResult, transact, unchanged } from './transaction.js'

/** How often something is tried again that another one's change came before. */
const triesAtMost = 8

/** What there is of a lease. */
interface Seen {
  revision: string
  /** Who has it, and the key that says so. */
  holder: { value: HolderValue; key: KeyValue } | undefined
  /** The key of the epoch: its value and in which revision it was written. */
  epoch: number
  epochRevision: string
}

/**
 * Leases in etcd. A holder's key goes with a lease of etcd's: a new one at each renewal, and never one that is kept alive. Etcd keeps leases alive, and
 * ends them, by the word of one member; a leader that was stopped may still give its word after the others have elected another one (etcd's issue
 * 15247, in Debian's 3.4.23). What is made anew and put in place in a transaction, a majority has agreed to; and no member, stopped or not, counts a
 * lease as over before its time.
 */
export class EtcdLeaseStore implements LeaseStore {
  readonly clock: LeaseClock
  readonly #gateway: Gateway
  readonly #keys: LeaseKeys

  constructor(gateway: Gateway, clock: LeaseClock, keys: LeaseKeys) {
    this.#gateway = gateway
    this.clock = clock
    this.#keys = keys
  }

  async acquire(name: string, options: AcquireOptions): Promise<Grant> {
    checkName('name', name)
    checkObject('options', options)
    const { holder, ttl, above = 0, attempt = newAttempt(), signal } = options
    checkHolder(holder)
    checkTtl(ttl)
    checkInteger('above', above, 0, Number.MAX_SAFE_INTEGER - 2)
    checkText('attempt', attempt)
    checkSignal(signal)
    let seen = await this.#see(name, { signal })
    for (let tries = 0; tries < triesAtMost; tries++) {
      if (seen.holder !== undefined) {
        if (seen.holder.value.attempt !== attempt) throw taken(name, seen.holder.value)
        const found = await this.#moved(name, seen.holder, ttl, signal)
        if (found !== undefined) return found
        seen = await this.#see(name, { signal })
        continue
      }
      const epoch = Math.max(seen.epoch, above) + 1
      const since = this.clock.uptime()
      const lease = await grantLease(this.#gateway, ttl, { signal })
      try {
        const value = { holder, attempt, epoch }
        const result = await this.#take(name, value, lease, seen, { signal })
        if (result.succeeded)
          return { name, holder, epoch, attempt, ttl, since, token: grantToken(lease, result.revision) }
        seen = seenIn(result)
        const { holder: now } = seen
        // the request was done twice, and this is the answer to the second
        if (now?.key.lease === lease)
          return { name, ...now.value, ttl, since, token: grantToken(lease, now.key.modRevision) }
      } catch (error) {
        // what may still come finds no lease: nobody believes that he has it
        this.#forget(lease)
        if (!isNotFound(error)) throw error
        seen = await this.#see(name, { signal })
        continue
      }
      this.#forget(lease)
    }
    throw new LeaseError('taken', `others take the lease ${name} at this moment`)
  }

  async renew(grant: Grant, options?: StoreOptions): Promise<Grant> {
    checkGrant(grant)
    const signal = signalOf(options)
    const { name, holder, attempt, epoch, ttl } = grant
    const token = readToken(grant.token)
    const since = this.clock.uptime()
    const moved = await this.#move(name, { holder, attempt, epoch }, ttl, token.revision, signal)
    // no key goes with it any more
    this.#forget(token.lease)
    return { ...grant, since, token: moved }
  }

  async release(grant: Grant, options?: StoreOptions): Promise<void> {
    checkGrant(grant)
    const signal = signalOf(options)
    const { name, holder, attempt, epoch } = grant
    const { lease } = readToken(grant.token)
    const key = this.#keys.holder(name)
    const value = holderText({ holder, attempt, epoch })
    await transact(this.#gateway, { compare: [hasValue(key, value)], success: [remove(key)] }, { signal })
    this.#forget(lease)
  }

  async look(name: string, options?: StoreOptions): Promise<LeaseState> {
    checkName('name', name)
    const signal = signalOf(options)
    const { holder, epoch } = await this.#see(name, { signal })
    return { name, holder: holder?.value.holder, epoch: holder?.value.epoch ?? epoch }
  }

  watch(name: string, options?: StoreOptions): AsyncGenerator<LeaseState, undefined> {
    checkName('name', name)
    return this.#watch(name, signalOf(options))
  }

  async *#watch(name: string, signal: AbortSignal | undefined): AsyncGenerator<LeaseState, undefined> {
    const range = { key: this.#keys.holder(name) }
    let epoch = 0
    let last: LeaseState | undefined
    const readAll = async () => {
      const seen = await this.#see(name, { signal })
      epoch = Math.max(epoch, seen.epoch)
      return { revision: seen.revision, keys: seen.holder === undefined ? [] : [seen.holder.key] }
    }
    for await (const update of followRange({ gateway: this.#gateway, clock: this.clock, range, readAll, signal })) {
      const found =
        'keys' in update ? [update.keys[0]] : update.events.map(event => (event.isRemoved ? undefined : event.key))
      for (const key of found) {
        const value = key && readHolder(key.value)
        epoch = Math.max(epoch, value?.epoch ?? 0)
        const state: LeaseState = { name, holder: value?.holder, epoch }
        // a renewal changes nothing
        if (last?.holder === state.holder && last?.epoch === state.epoch) continue
        last = state
        yield state
      }
    }
  }

  async #see(name: string, options: StoreOptions): Promise<Seen> {
    const success = [read(this.#keys.holder(name)), read(this.#keys.epoch(name))]
    return seenIn(await transact(this.#gateway, { success }, options))
  }

  /** Makes somebody the holder where there is none, and the epoch is what it was. */
  #take(
    name: string,
    value: HolderValue,
    lease: string,
    seen: Seen,
    options: StoreOptions,
  ): Promise<TransactionResult> {
    const [holder, epoch] = [this.#keys.holder(name), this.#keys.epoch(name)]
    const transaction = {
      compare: [unchanged(holder, '0'), unchanged(epoch, seen.epochRevision)],
      success: [put(holder, holderText(value), lease), put(epoch, String(value.epoch))],
      failure: [read(holder), read(epoch)],
    }
    return transact(this.#gateway, transaction, options)
  }

  /** The holder is this attempt, whose answer was lost. @returns undefined where it has ended meanwhile */
  async #moved(
    name: string,
    { value, key }: NonNullable<Seen['holder']>,
    ttl: number,
    signal: AbortSignal | undefined,
  ): Promise<Grant | undefined> {
    const since = this.clock.uptime()
    try {
      return { name, ...value, ttl, since, token: await this.#move(name, value, ttl, key.modRevision, signal) }
    } catch (error) {
      if (isLeaseError(error, 'lost')) return undefined
      throw error
    }
  }

  /**
   * Puts a holder's key on a new lease. Where no answer comes the key may be on the new one or on that before, so none of the two may be revoked.
   *
   * @returns the token @throws LeaseError lost
   */
  async #move(
    name: string,
    value: HolderValue,
    ttl: number,
    revision: string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const key = this.#keys.holder(name)
    const text = holderText(value)
    const lease = await grantLease(this.#gateway, ttl, { signal })
    let expected = revision
    for (let tries = 0; tries < triesAtMost; tries++) {
      const transaction = {
        compare: [unchanged(key, expected)],
        success: [put(key, text, lease)],
        failure: [read(key)],
      }
      const result = await transact(this.#gateway, transaction, { signal })
      if (result.succeeded) return grantToken(lease, result.revision)
      const [found] = result.read
      if (found?.value !== text) {
        this.#forget(lease)
        throw new LeaseError('lost', `the lease ${name} of epoch ${value.epoch} is another's, or has ended`)
      }
      if (found.lease === lease) return grantToken(lease, found.modRevision)
      // a renewal before this one was done after all
      expected = found.modRevision
    }
    throw new LeaseError('unreachable', `the lease ${name} is renewed by others of the same attempt`)
  }

  /** Ends a lease of etcd's that nobody counts on, without waiting for it: else it ends by itself. */
  #forget(lease: string): void {
    revokeLease(this.#gateway, lease).catch(() => {})
  }
}

const seenIn = ({ revision, read: [holder, epoch] }: TransactionResult): Seen => ({
  revision,
  holder: holder && { value: readHolder(holder.value), key: holder },
  epoch: readEpoch(epoch?.value),
  epochRevision: epoch?.modRevision ?? '0',
})

const taken = (name: string, { holder, epoch }: HolderValue): LeaseError =>
  new LeaseError('taken', printable(`${holder} has the lease ${name}, in epoch ${epoch}`))
