import type { LeaseClock } from './lease-clock.js'

/** That somebody has a lease, until it ends. */
export interface Grant {
  readonly name: string
  readonly holder: string
  /** Higher than that of every holder before, for ever: the fencing token. */
  readonly epoch: number
  /** Which acquisition it is: random. */
  readonly attempt: string
  /** How long it lasts from `since`, at least, in milliseconds. */
  readonly ttl: number
  /** By the store's clock, when the request was sent whose answer this is. */
  readonly since: number
  /** The store's own note. */
  readonly token: string
}

/** Who has a lease. */
export interface LeaseState {
  readonly name: string
  /** Undefined where nobody has it. */
  readonly holder: string | undefined
  /** The holder's, or where there is none that of the last one; 0 where there was never one. */
  readonly epoch: number
}

export interface StoreOptions {
  signal?: AbortSignal | undefined
}

export interface AcquireOptions extends StoreOptions {
  /** Who it is, as people know it: a host's name. */
  holder: string
  /** How long it lasts without a renewal, in milliseconds: 2,000 to 3,600,000. */
  ttl: number
  /** The highest epoch that the resource has seen: the new one is higher. 0 by default. For a store that was restored from a backup. */
  above?: number | undefined
  /** Names the acquisition, so that it can be tried again after no answer came. Random by default. */
  attempt?: string | undefined
}

/** Where leases are kept: of each name, one holder at a time. */
export interface LeaseStore {
  readonly clock: LeaseClock
  /**
   * Takes a lease that nobody has. Where no answer comes, nobody has it for longer than its ttl, unless the same attempt is made again.
   *
   * @throws LeaseError taken, unreachable, refused, protocol, canceled
   */
  acquire(name: string, options: AcquireOptions): Promise<Grant>
  /** Makes it last anew. The old grant is good until its own end. @throws LeaseError lost, and as `acquire` */
  renew(grant: Grant, options?: StoreOptions): Promise<Grant>
  /** Gives it up, so that another one need not wait for its end. Does nothing where it is lost. @throws LeaseError as `acquire` */
  release(grant: Grant, options?: StoreOptions): Promise<void>
  look(name: string, options?: StoreOptions): Promise<LeaseState>
  /**
   * Says who has a lease, and again when that changes, until the signal is aborted. Goes on through times in which nobody answers.
   *
   * @throws LeaseError refused, protocol, canceled
   */
  watch(name: string, options?: StoreOptions): AsyncIterableIterator<LeaseState>
}
