import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Catalogue } from '../../lease/catalogue.js'
import { holdLease } from '../../lease/hold-lease.js'
import { isLeaseError } from '../../lease/lease-error.js'
import type { LeaseKeeper } from '../../lease/lease-keeper.js'
import type { LeaseStore } from '../../lease/lease-store.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import type { Hub } from '../hub/hub.js'
import { type HubRecord, hubRecord, hubRecordKey } from '../hub/hub-record.js'
import type { TakeOverCounts } from '../hub/take-over-counts.js'
import { highestTerm } from '../hub/terms.js'
import { ReplicationError } from '../replication-error.js'
import { HubServer, type HubServerOptions, type HubServerPolicy, type HubStatus, hubNameOf } from './hub-server.js'
import type { LeaseStatus } from './lease-status.js'
import { NodeFolder } from './node-folder.js'
import { highestClaim } from './term.js'

/** Where the lease is kept that a hub serves under. */
export interface HubLease {
  name: string
  /** In milliseconds. */
  ttl: number
  store: LeaseStore
  /** Where others find which hub serves. */
  catalogue?: Catalogue | undefined
}

export interface LeasedHubOptions extends Omit<HubServerOptions, 'lease' | 'held' | 'takeOver'> {
  lease: HubLease
}

/** How often a hub that stands by looks who has the lease, and one that serves whether what others know of it is true, in milliseconds. */
const lookEvery = 1000

/**
 * One of several hubs over one folder: stands by until it has the lease, and serves while it has it. Once that is lost it is over: another one
 * has to be made.
 */
export class LeasedHub implements AsyncDisposable {
  readonly name: string
  readonly #options: LeasedHubOptions
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #over = new AbortController()
  readonly #done: Promise<void>
  #policy: HubServerPolicy
  #known: Pick<LeaseStatus, 'holder' | 'epoch' | 'problem'> = { holder: undefined, epoch: 0, problem: undefined }
  #keeper: LeaseKeeper | undefined
  #server: HubServer | undefined
  /** Why it is over. */
  #why: string | undefined
  #failure: unknown
  #closed: Promise<void> | undefined

  /** Begins to stand by. @throws ReplicationError, or the system's error, where the folder cannot be used */
  constructor(options: LeasedHubOptions) {
    this.name = hubNameOf(options)
    this.#options = options
    this.#policy = policyOf(options)
    // a folder that is not there is found now, and not when it is needed
    const above = highestEpoch(options.data)
    this.#done = this.#run(above).catch(error => {
      this.#end(error)
    })
  }

  /** The hub, while it serves. */
  get hub(): Hub | undefined {
    return this.#server?.hub
  }

  get status(): HubStatus {
    const status = this.#server?.status ?? standingBy(this.name, this.#options.data)
    const lease = this.#leaseStatus
    const lost = lease.state === 'lost' ? `the lease ${lease.name} of epoch ${lease.epoch} is lost` : undefined
    return { ...status, problem: this.#why ?? status.problem ?? lost, lease }
  }

  /** As `HubServer.takeOvers`. @internal */
  get takeOvers(): ReadonlyMap<string, TakeOverCounts> {
    return this.#server?.takeOvers ?? new Map()
  }

  /** Aborted when the lease is lost, or nothing can be served. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Why it is over, where that is not because another hub has the lease or may have it. @throws it */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** As `HubServer.change`; while it stands by it counts from when it serves. */
  async change(policy: HubServerPolicy): Promise<readonly ReplicationError[]> {
    this.#policy = policyOf(policy)
    return (await this.#server?.change(policy)) ?? []
  }

  /** Calls about once a second. @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends all of it; the lease last. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #leaseStatus(): LeaseStatus {
    const { name } = this.#options.lease
    const keeper = this.#keeper
    if (keeper === undefined) return { name, state: 'standing-by', ...this.#known }
    const { epoch, problem } = keeper
    const isHeld = keeper.isHeld() && !this.#over.signal.aborted
    const state = !isHeld ? 'lost' : this.#server === undefined ? 'opening' : 'held'
    return { name, state, holder: isHeld ? keeper.holder : undefined, epoch, problem: problem?.message }
  }

  async #run(above: number): Promise<void> {
    const { lease, ...options } = this.#options
    const { signal } = this.#closing
    const holder = `${this.name} on ${hostname()} (process ${process.pid})`
    const looking = new AbortController()
    const looked = this.#lookWhoHasIt(AbortSignal.any([signal, looking.signal]))
    try {
      this.#keeper = await holdLease(lease.store, lease.name, { holder, ttl: lease.ttl, wait: true, above, signal })
    } finally {
      looking.abort()
      await looked
    }
    this.#say()
    this.#server = await HubServer.open({
      ...options,
      ...this.#policy,
      held: this.#keeper,
      onTakenOver: problem => this.#end(problem),
    })
    this.#say()
    await this.#keepRecord(this.#keeper, this.#server)
  }

  async #lookWhoHasIt(signal: AbortSignal): Promise<void> {
    const { store, name } = this.#options.lease
    while (!signal.aborted) {
      try {
        const { holder, epoch } = await store.look(name, { signal })
        this.#known = { holder, epoch, problem: undefined }
      } catch (error) {
        if (isLeaseError(error, 'canceled')) return
        this.#known = { ...this.#known, holder: undefined, problem: (error as Error).message }
      }
      this.#say()
      await delay(lookEvery, undefined, { signal }).catch(() => {})
    }
  }

  /** Has the catalogue say where it serves, and how its groups are, until it is over. */
  async #keepRecord(keeper: LeaseKeeper, server: HubServer): Promise<void> {
    const { catalogue } = this.#options.lease
    const signal = AbortSignal.any([this.#closing.signal, this.#over.signal, keeper.signal])
    let before: HubRecord | undefined
    while (!signal.aborted) {
      const record = recordOf(server.status)
      if (catalogue !== undefined && !isDeepStrictEqual(record, before))
        try {
          await catalogue.put(keeper.grant, hubRecordKey, record, { signal })
          before = record
        } catch {
          // it is tried again; that the lease is lost, its keeper says
        }
      this.#say()
      await delay(lookEvery, undefined, { signal }).catch(() => {})
    }
  }

  #end(error: unknown): void {
    if (this.#closing.signal.aborted || this.#over.signal.aborted) return
    const isLost = isLeaseError(error, 'lost') || (error instanceof ReplicationError && error.code === 'owned')
    if (!isLost) this.#failure = error
    this.#why = (error as Error).message
    this.#over.abort()
    this.#say()
  }

  #say(): void {
    for (const listener of this.#listeners) listener()
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await this.#done
    this.#listeners.clear()
    await this.#server?.close()
  }
}

const policyOf = ({ groups, journal, limits }: HubServerPolicy): HubServerPolicy => ({ groups, journal, limits })

const standingBy = (name: string, data: string): HubStatus => ({
  ...{ name, data, listens: undefined, nbd: undefined, agents: [], groups: [], closed: [] },
  ...{ problem: undefined, lease: undefined },
})

/** The highest epoch that the folder has seen: one of a store that was restored from a backup has to be higher. */
function highestEpoch(data: string): number {
  const folder = NodeFolder.open(data)
  return Math.max(highestClaim(data), highestTerm(folder.folder('groups')))
}

function recordOf({ name, listens, nbd, groups, closed }: HubStatus): HubRecord {
  const about = { name, host: hostname().slice(0, 255), listen: shown(listens), nbd: shown(nbd) }
  return hubRecord(about, [...closed.map(group => ({ name: group.name, state: 'failed' })), ...groups])
}

const shown = (address: SocketAddress | undefined): string | null =>
  address === undefined ? null : 'path' in address ? address.path : `${address.host ?? '127.0.0.1'}:${address.port}`
