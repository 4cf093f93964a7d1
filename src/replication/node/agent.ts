import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { flock } from '../../flock.js'
import type { MutualTls } from '../../link/node/mutual-tls.js'
import { checkAddress } from '../../link/node/socket-address.js'
import { printable } from '../../printable.js'
import type { AgentConfig } from '../config/agent-config.js'
import { ReplicationError } from '../replication-error.js'
import type { RequestMessage, VolumeReport } from '../wire/message.js'
import type { Session, SessionMessage, SessionUser } from '../wire/session.js'
import { runGroupCommand } from './agent-commands.js'
import type { AgentGroup, AgentGroupStatus } from './agent-group.js'
import { AgentLink } from './agent-link.js'
import { Closers } from './closers.js'
import { fitReport } from './fit-report.js'
import type { GroupCounts } from './group-counts.js'
import { GroupLink } from './group-link.js'
import { answerIo, returnCommands } from './hub-requests.js'
import { NodeFolder } from './node-folder.js'
import { RunningGroup } from './running-group.js'
import { ServedGroup } from './served-group.js'

export interface AgentOptions extends Omit<AgentConfig, 'tls' | 'control' | 'metrics'> {
  tls?: MutualTls | undefined
}

/** All that an agent knows. */
export interface AgentStatus {
  name: string
  /** Where the hub is, its name where there is a connection, and why there is none. */
  hub: { address: string; name: string | undefined; why: string | undefined }
  groups: readonly AgentGroupStatus[]
}

/** In a file's mode. */
const writableByAll = 0o002
/** How often the hub is told of the volumes, in milliseconds. */
const reportEvery = 1000

/** An agent: the disks of a host's guests, served to QEMU and sent to a hub. */
export class Agent implements AsyncDisposable {
  readonly name: string
  readonly #options: AgentOptions
  readonly #groups = new Map<string, AgentGroup>()
  readonly #closers: Closers
  readonly #listeners = new Set<() => void>()
  #link: AgentLink | undefined
  #hub: string | undefined
  #links = new Map<string, GroupLink>()

  private constructor(options: AgentOptions, closers: Closers) {
    this.name = options.name
    this.#options = options
    this.#closers = closers
  }

  /** @throws ReplicationError in-use where another agent has its state; what its parts throw. Nothing stays open then */
  static async open(options: AgentOptions): Promise<Agent> {
    checkAddress(options.hub)
    await using opening = new Closers()
    const state = openOwn(options.state)
    opening.defer(await lockFolder(options.state))
    openOwn(options.run)
    const agent = new Agent(options, opening.move())
    try {
      await agent.#openGroups(state.folder('groups'))
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
    const { hub } = this.#options
    const address = 'path' in hub ? hub.path : `${hub.host ?? '127.0.0.1'}:${hub.port}`
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

  /** Calls whenever the status has changed, but for what only counts. @returns what ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await this.#closers[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #openGroups(folder: NodeFolder): Promise<void> {
    const { run, buffer, target } = this.#options
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    for (const [name, group] of Object.entries(this.#options.groups)) {
      const common = { name, folder: folder.folder(name), run, hubMay: group.hubMay, changed: () => this.#changed() }
      const opened =
        group.way === 'inline'
          ? ServedGroup.open({ ...common, disks: group.disks, boot, buffer, target: group.target ?? target })
          : RunningGroup.open({ ...common, ...group, memory: buffer.memory })
      const one: AgentGroup = await opened
      this.#groups.set(name, one)
      this.#closers.defer(() => one.close())
    }
  }

  #connected(session: Session, hub: string): SessionUser {
    this.#hub = hub
    let last = 0
    const nextChannel = () => ++last
    const links = new Map<string, GroupLink>()
    this.#links = links
    for (const [name, group] of this.#groups)
      links.set(name, new GroupLink(session, nextChannel, message => group.receive(message)))
    // when the session is in its user's hands
    queueMicrotask(() => {
      if (session.isOver) return
      for (const [name, link] of links) this.#groups.get(name)!.connected(link)
      this.#sendReport(session)
      this.#changed()
    })
    const reporting = setInterval(() => this.#sendReport(session), reportEvery)
    return {
      message: message => this.#take(links, message),
      request: request => this.#answer(links, request),
      drained: () => {
        for (const name of links.keys()) this.#groups.get(name)!.drained()
      },
      ended: () => {
        clearInterval(reporting)
        if (this.#links !== links) return
        this.#links = new Map()
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
    return answerIo(this.#served(name), request)
  }

  /** A group whose disks the agent has. @throws ReplicationError not-found, wrong-state */
  #served(name: string): ServedGroup {
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
    if (returning !== undefined) return (await returning(this.#served(name), all)) ?? {}
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
