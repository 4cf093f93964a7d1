import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { flock } from '../../flock.js'
import { FifoLock } from '../../link/fifo-lock.js'
import type { MutualTls } from '../../link/node/mutual-tls.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { printable } from '../../printable.js'
import type { AgentConfig } from '../config/agent-config.js'
import { type GroupChanges, groupChanges } from '../config/config-changes.js'
import { ReplicationError } from '../replication-error.js'
import type { RequestMessage, VolumeReport } from '../wire/message.js'
import type { Session, SessionMessage, SessionUser } from '../wire/session.js'
import { runGroupCommand } from './agent-commands.js'
import type { AgentGroup, AgentGroupStatus } from './agent-group.js'
import { AgentLink, hubsOf } from './agent-link.js'
import { Closers } from './closers.js'
import { fitReport } from './fit-report.js'
import type { GroupCounts } from './group-counts.js'
import { GroupLink } from './group-link.js'
import { answerIo, returnCommands } from './hub-requests.js'
import { NodeFolder } from './node-folder.js'
import { RunningGroup } from './running-group.js'
import { ServedGroup } from './served-group.js'

export interface AgentOptions extends Omit<AgentConfig, 'hub' | 'tls' | 'control' | 'metrics'> {
  /** Where the hub is; several, of hubs that stand by for each other: one after another is tried. */
  hub: SocketAddress | readonly SocketAddress[]
  tls?: MutualTls | undefined
}

/** All that an agent knows. */
export interface AgentStatus {
  name: string
  /** Where the hub is (all places where it may be, with commas, while it is in none), its name where there is a connection, and why there is none. */
  hub: { address: string; name: string | undefined; why: string | undefined }
  groups: readonly AgentGroupStatus[]
}

/** What may change of an agent while it runs. */
export type AgentPolicy = Pick<AgentOptions, 'groups' | 'target'>

type GroupConfig = AgentConfig['groups'][string]

/** A connection to the hub, as far as groups have to do with it. */
interface Connection {
  session: Session
  links: Map<string, GroupLink>
  nextChannel(): number
}

/** In a file's mode. */
const writableByAll = 0o002
/** How often the hub is told of the volumes, in milliseconds. */
const reportEvery = 1000

/** An agent: the disks of a host's guests, served to QEMU and sent to a hub. */
export class Agent implements AsyncDisposable {
  readonly name: string
  #options: AgentOptions
  readonly #groups = new Map<string, AgentGroup>()
  /** How each of them was opened. */
  readonly #configs = new Map<string, GroupConfig>()
  readonly #closers: Closers
  readonly #state: NodeFolder
  /** Changes of its groups, one at a time. */
  readonly #changes = new FifoLock()
  readonly #listeners = new Set<() => void>()
  #link: AgentLink | undefined
  #hub: string | undefined
  #connection: Connection | undefined

  private constructor(options: AgentOptions, state: NodeFolder, closers: Closers) {
    this.name = options.name
    this.#options = options
    this.#state = state
    this.#closers = closers
  }

  /** @throws ReplicationError in-use where another agent has its state; what its parts throw. Nothing stays open then */
  static async open(options: AgentOptions): Promise<Agent> {
    hubsOf(options.hub)
    await using opening = new Closers()
    const state = openOwn(options.state)
    opening.defer(await lockFolder(options.state))
    openOwn(options.run)
    const agent = new Agent(options, state.folder('groups'), opening.move())
    try {
      agent.#closers.defer(() => agent.#closeGroups())
      for (const [name, group] of Object.entries(options.groups)) await agent.#add(name, group)
      const { name, hub, hubName, tls } = options
      const link = new AgentLink(
        { name, hub, hubName, tls },
        {
          connected: (session, hubName) => agent.#connected(session, hubName),
          lost: () => agent.#changed(),
        },
      )
      agent.#link = link
      agent.#closers.defer(() => link.close())
      return agent
    } catch (error) {
      await agent.#closers[Symbol.asyncDispose]().catch(() => {})
      throw error
    }
  }

  get groups(): ReadonlyMap<string, AgentGroup> {
    return this.#groups
  }

  get status(): AgentStatus {
    const all = hubsOf(this.#options.hub).map(plainAddress).join(',')
    const address = this.#hub === undefined || this.#link === undefined ? all : plainAddress(this.#link.address)
    return {
      name: this.name,
      hub: { address, name: this.#hub, why: this.#link?.why },
      groups: [...this.#groups.values()].map(({ status }) => status),
    }
  }

  /** What was counted of each group since the agent was started, by the groups' names. @internal */
  get counts(): ReadonlyMap<string, GroupCounts> {
    return new Map([...this.#groups].map(([name, { counts }]) => [name, counts]))
  }

  /** @throws ReplicationError not-found */
  group(name: string): AgentGroup {
    const group = this.#groups.get(name)
    if (group !== undefined) return group
    const known = [...this.#groups.keys()].join(', ')
    throw new ReplicationError('not-found', `this agent has no group of that name; it has ${known || 'none'}`)
  }

  /**
   * Takes other groups, and says anew what the hub may do with them and how far behind it may be. Groups that stay as they are go on; of
   * those that change otherwise the protection is ended and begun, as by another start.
   *
   * @throws ReplicationError in-use where a guest has disks of a group that would have to end; wrong-state for another way; what opening a
   *   group throws. Nothing is changed then, unless the message says so
   */
  change(policy: AgentPolicy): Promise<GroupChanges> {
    return this.#changes.hold(() => this.#change(policy))
  }

  /** Calls whenever the status has changed, but for what only counts. @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    // one that is under way
    await this.#changes.hold(async () => {})
    await this.#closers[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #change(policy: AgentPolicy): Promise<GroupChanges> {
    const before = Object.fromEntries(this.#configs)
    const { added, removed, changed } = groupChanges(before, policy.groups)
    const reopened = changed.filter(name => isOtherwise(before[name]!, policy.groups[name]!))
    this.#checkEnds(policy, removed, reopened)
    const former = this.#options
    this.#options = { ...former, ...policy }
    const done: string[] = []
    try {
      for (const name of [...added, ...reopened]) {
        done.push(name)
        await this.#drop(name)
        await this.#add(name, policy.groups[name]!)
      }
    } catch (error) {
      this.#options = former
      throw await this.#takenBack(error as Error, done, before)
    }
    for (const name of removed) await this.#drop(name)
    for (const [name, group] of this.#groups) {
      const config = policy.groups[name]!
      this.#configs.set(name, config)
      group.change({ hubMay: config.hubMay, target: this.#targetOf(config) })
    }
    this.#changed()
    return { added, removed, changed }
  }

  /** @throws ReplicationError in-use, wrong-state: with all that is in the way */
  #checkEnds({ groups }: AgentPolicy, removed: readonly string[], reopened: readonly string[]): void {
    const ways = reopened.filter(name => this.#configs.get(name)!.way !== groups[name]!.way)
    const used = [...removed, ...reopened].filter(name => {
      const group = this.#groups.get(name)
      return group instanceof ServedGroup && group.clients > 0
    })
    const problems = [
      ...ways.map(name => `the way of ${name} cannot change while the agent runs: restart it to change that`),
      ...used.map(name => `a guest has the disks of ${name}: end it before the group is removed or gets other disks`),
    ]
    if (problems.length === 0) return
    throw new ReplicationError(used.length > 0 ? 'in-use' : 'wrong-state', problems.join('\n'))
  }

  /** Opens again, as they were, groups that were to be other ones. @returns the error, which says what could not be */
  async #takenBack(
    error: Error,
    done: readonly string[],
    before: Readonly<Record<string, GroupConfig>>,
  ): Promise<Error> {
    const lost: string[] = []
    for (const name of done)
      try {
        await this.#drop(name)
        const config = before[name]
        if (config !== undefined) await this.#add(name, config)
      } catch (again) {
        lost.push(`${name} is not protected any more, as it cannot be opened as it was: ${(again as Error).message}`)
      }
    this.#changed()
    const last = done.at(-1)
    const code = error instanceof ReplicationError ? error.code : 'file-failed'
    const message = [`${last} cannot be opened: ${error.message}`, ...lost].join('\n')
    return new ReplicationError(code, message, { cause: error })
  }

  /** Opens a group, and gives it the connection that there is. */
  async #add(name: string, config: GroupConfig): Promise<void> {
    const { run, buffer } = this.#options
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const common = {
      ...{ name, folder: this.#state.folder(name), run, hubMay: config.hubMay },
      changed: () => this.#changed(),
    }
    const target = this.#targetOf(config)
    const group: AgentGroup =
      config.way === 'inline'
        ? await ServedGroup.open({ ...common, disks: config.disks, boot, buffer, target: target! })
        : await RunningGroup.open({ ...common, ...config, memory: buffer.memory })
    this.#groups.set(name, group)
    this.#configs.set(name, config)
    const connection = this.#connection
    if (connection !== undefined) group.connected(this.#linkTo(connection, name, group))
  }

  /** Ends a group, where there is one. The hub is told that nothing more comes of it. */
  async #drop(name: string): Promise<void> {
    const group = this.#groups.get(name)
    if (group === undefined) return
    this.#groups.delete(name)
    this.#configs.delete(name)
    this.#connection?.links.get(name)?.detach()
    this.#connection?.links.delete(name)
    group.disconnected()
    await group.close()
  }

  async #closeGroups(): Promise<void> {
    await using all = new Closers()
    for (const group of this.#groups.values()) all.defer(() => group.close())
  }

  #linkTo({ session, links, nextChannel }: Connection, name: string, group: AgentGroup): GroupLink {
    const link = new GroupLink(session, nextChannel, message => group.receive(message))
    links.set(name, link)
    return link
  }

  #targetOf(config: GroupConfig): number | undefined {
    return config.target ?? (config.way === 'inline' ? this.#options.target : undefined)
  }

  #connected(session: Session, hub: string): SessionUser {
    this.#hub = hub
    let last = 0
    const nextChannel = () => ++last
    const links = new Map<string, GroupLink>()
    const connection: Connection = { session, links, nextChannel }
    this.#connection = connection
    for (const [name, group] of this.#groups) this.#linkTo(connection, name, group)
    // when the session is in its user's hands
    queueMicrotask(() => {
      if (session.isOver) return
      for (const [name, link] of links) this.#groups.get(name)?.connected(link)
      this.#sendReport(session)
      this.#changed()
    })
    const reporting = setInterval(() => this.#sendReport(session), reportEvery)
    return {
      message: message => this.#take(links, message),
      request: request => this.#answer(links, request),
      drained: () => {
        for (const name of links.keys()) this.#groups.get(name)?.drained()
      },
      ended: () => {
        clearInterval(reporting)
        if (this.#connection !== connection) return
        this.#connection = undefined
        this.#hub = undefined
        for (const group of this.#groups.values()) group.disconnected()
        this.#changed()
      },
    }
  }

  #take(links: ReadonlyMap<string, GroupLink>, message: SessionMessage): void {
    if ('channel' in message) for (const link of links.values()) link.take(message)
    if (message.kind === 'ready') this.#groups.get(message.group)?.receive(message)
  }

  /** What the hub asks of this host. @throws ReplicationError */
  async #answer(links: ReadonlyMap<string, GroupLink>, request: RequestMessage): Promise<unknown> {
    if (request.kind === 'digestsRequest') throw new ReplicationError('not-allowed', 'an agent asks for digests')
    if (request.kind === 'command') return this.#command(request.execute, request.arguments)
    const [name] = [...links].find(([, link]) => link.has(request.channel)) ?? []
    if (name === undefined) throw new ReplicationError('not-found', `there is no group of channel ${request.channel}`)
    return answerIo(this.served(name), request)
  }

  /** A group whose disks the agent has. @throws ReplicationError not-found, wrong-state @internal */
  served(name: string): ServedGroup {
    const group = this.group(name)
    if (group instanceof ServedGroup) return group
    const hint = 'end that QEMU, and protect the group inline for the way back'
    throw new ReplicationError(
      'wrong-state',
      `${name} is not the agent's to read and write, QEMU has its disks: ${hint}`,
    )
  }

  async #command(execute: string, given: unknown): Promise<unknown> {
    const all = typeof given === 'object' && given !== null ? (given as Readonly<Record<string, unknown>>) : {}
    const { group } = all
    const name = String(group)
    const returning = Object.hasOwn(returnCommands, execute) ? returnCommands[execute] : undefined
    if (returning !== undefined) return (await returning(this.served(name), all)) ?? {}
    this.group(name).checkRight('control')
    return runGroupCommand(this, execute, all)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  #sendReport(session: Session): void {
    const volumes = this.status.groups.flatMap(({ name: group, volumes: all }) =>
      all.map(({ name: volume, size, state }): VolumeReport => ({ group, volume, size, ...state })),
    )
    session.send({ kind: 'report', volumes: fitReport(volumes) })
  }
}

const plainAddress = (address: SocketAddress): string =>
  'path' in address ? address.path : `${address.host ?? '127.0.0.1'}:${address.port}`

/** What lies in it is believed, and is connected to. @throws ReplicationError not-allowed where anybody may put something there */
function openOwn(path: string): NodeFolder {
  const folder = NodeFolder.open(path)
  if ((statSync(path).mode & writableByAll) === 0) return folder
  const hint = 'give the agent one of its own, or chmod o-w it'
  throw new ReplicationError('not-allowed', `${printable(path)} is a folder that anybody may write to: ${hint}`)
}

/** Takes a folder for this process alone. @returns what lets go of it @throws ReplicationError in-use */
async function lockFolder(path: string): Promise<() => void> {
  const descriptor = openSync(join(path, 'lock'), 'a', 0o600)
  if (await flock(descriptor, { timeout: 2000 })) return () => closeSync(descriptor)
  closeSync(descriptor)
  const hint = 'end that one first, or give this one a state of its own'
  throw new ReplicationError('in-use', `another agent has ${path}: ${hint}`)
}

/** Whether groups differ in more than may be said anew of one. */
const isOtherwise = (before: GroupConfig, after: GroupConfig): boolean =>
  !isDeepStrictEqual({ ...before, hubMay: [], target: 0 }, { ...after, hubMay: [], target: 0 })
