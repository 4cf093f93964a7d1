import { hostname } from 'node:os'
import type { LeaseKeeper } from '../../lease/lease-keeper.js'
import type { MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import type { HubConfig } from '../config/hub-config.js'
import type { GroupLimits } from '../hub/group-record.js'
import type { GroupStatus } from '../hub/group-status.js'
import type { Hub } from '../hub/hub.js'
import { openRights, type Rights } from '../hub/rights.js'
import type { TakeOverCounts } from '../hub/take-over-counts.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { LeaseStatus } from './lease-status.js'
import { ServedHub } from './serve-hub.js'

export interface HubServerOptions extends Omit<HubConfig, 'tls' | 'control' | 'metrics' | 'page'> {
  tls?: MutualTls | undefined
  /** Takes the data from a hub that has it, be it alive: what that one writes later does not count. */
  takeOver?: boolean | undefined
  /** Has the data as long as this is held, and takes them from whoever has them. It is released at the end, also where serving fails. */
  held?: LeaseKeeper | undefined
  /** Hears that another hub has the data now, or that the lease is lost: this one ends. */
  onTakenOver?: ((problem: ReplicationError) => void) | undefined
}

/** What may change of a hub while it runs. */
export type HubServerPolicy = Pick<HubServerOptions, 'groups' | 'journal' | 'limits'>

/** All that a hub knows. */
export interface HubStatus {
  name: string
  data: string
  /** Where agents and recovery guests reach it. */
  listens: SocketAddress | undefined
  nbd: SocketAddress | undefined
  /** The agents that are connected. */
  agents: readonly string[]
  groups: readonly GroupStatus[]
  /** Groups that cannot be opened, and why. */
  closed: readonly { name: string; code: string; message: string }[]
  /** Why nothing is done any more: another hub has taken over. */
  problem: string | undefined
  /** The lease that it serves under, or stands by for; undefined where it needs none. */
  lease: LeaseStatus | undefined
}

/** How often those who listen hear of it, in milliseconds. */
const changeEvery = 1000

/** A hub as its configuration says: groups in a folder, agents that send them, recovery guests that have their branches over NBD. */
export class HubServer implements AsyncDisposable {
  readonly name: string
  readonly hub: Hub
  readonly #served: ServedHub
  readonly #data: string
  readonly #listeners = new Set<() => void>()
  readonly #timer: ReturnType<typeof setInterval>
  readonly #problem: () => string | undefined

  private constructor(name: string, data: string, served: ServedHub, problem: () => string | undefined) {
    this.name = name
    this.#data = data
    this.#served = served
    this.hub = served.hub
    this.#problem = problem
    this.#timer = setInterval(() => {
      for (const listener of this.#listeners) listener()
    }, changeEvery)
  }

  /** @throws ReplicationError owned where another hub has the data; wrong-state where a lease is not held; LinkError where it cannot listen. Nothing stays open then */
  static async open(options: HubServerOptions): Promise<HubServer> {
    const { data, listen, nbd, tls, takeOver, lease, held, compress, limits, groups = {} } = options
    if (lease !== undefined && held === undefined)
      throw new ReplicationError('wrong-state', 'the configuration says that a lease is to be held: LeasedHub does so')
    const name = hubNameOf(options)
    let problem: string | undefined
    const served = await ServedHub.serve({
      ...{
        data,
        name,
        listen,
        nbd,
        tls,
        takeOver,
        lease: held,
        compress,
        rights: rightsOf(options),
        ...limitsOf(options),
      },
      wanted: Object.keys(groups),
      groupsAtMost: limits.groups,
      // what is wrong with a group is in that group's status
      onTakenOver: error => {
        problem = error.message
        options.onTakenOver?.(error)
      },
    })
    return new HubServer(name, data, served, () => problem)
  }

  get status(): HubStatus {
    return {
      name: this.name,
      data: this.#data,
      listens: this.#served.address,
      nbd: this.#served.nbd,
      agents: this.hub.agents,
      groups: this.hub.groups.map(group => group.status()),
      closed: this.hub.closedGroups.map(({ name, problem: { code, message } }) => ({ name, code, message })),
      problem: this.#problem(),
      lease: undefined,
    }
  }

  /** How often each group was taken over since the hub was started, by the groups' names. @internal */
  get takeOvers(): ReadonlyMap<string, TakeOverCounts> {
    return new Map(this.hub.groups.map(({ name, life }) => [name, life.takeOvers]))
  }

  /** Where agents reach it. */
  get address(): SocketAddress | undefined {
    return this.#served.address
  }

  /**
   * Takes other groups, rights and limits, as `Hub.change`: streams and recovery guests of what stays as it was go on.
   *
   * @returns what could not be done with single groups
   */
  change(policy: HubServerPolicy): Promise<readonly ReplicationError[]> {
    const { groups = {}, limits } = policy
    return this.hub.change({
      ...{ rights: rightsOf(policy), ...limitsOf(policy) },
      wanted: Object.keys(groups),
      groupsAtMost: limits.groups,
    })
  }

  /** Calls about once a second. @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#listeners.clear()
    await this.#served.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function rightsOf({ groups }: HubServerPolicy): Rights {
  if (groups === undefined) return openRights
  const named = Object.entries(groups).map(([name, { agents = ['*'], control = [] }]) => [name, { agents, control }])
  return { groups: Object.fromEntries(named) }
}

function limitsOf({ journal, limits, groups = {} }: HubServerPolicy): {
  limits: GroupLimits
  groupLimits: Record<string, GroupLimits>
} {
  const own = Object.entries(groups).map(([name, { size, history, branches, checkpoints }]) => {
    const given: GroupLimits = {
      ...(size !== undefined && { journalBytes: size }),
      ...(history !== undefined && { history: history * 1000 }),
      ...(branches !== undefined && { branches }),
      ...(checkpoints !== undefined && { checkpoints }),
    }
    return [name, given] as const
  })
  return {
    limits: {
      journalBytes: journal.size,
      history: journal.history * 1000,
      overlayBytes: limits.overlay,
      branches: limits.branches,
      checkpoints: limits.checkpoints,
    },
    groupLimits: Object.fromEntries(own),
  }
}

/** What a hub is called. */
export const hubNameOf = ({ name = hostName() }: Pick<HubConfig, 'name'>): string => name

/** The machine's name, as far as it can be one. */
function hostName(): string {
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
  return isName(name) ? name : 'hub'
}
