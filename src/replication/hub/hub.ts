import type { NbdAsker, NbdExport } from '../../nbd/nbd-export.js'
import type { Folder } from '../folder.js'
import { GroupJournal } from '../journal/group-journal.js'
import { isName } from '../name.js'
import { ReplicationError } from '../replication-error.js'
import type { VolumeReport } from '../wire/message.js'
import { AgentSession, type HubSession, type SessionHub } from './agent-session.js'
import { AgentSide } from './agent-side.js'
import { fileError } from './file-error.js'
import { HubGroup } from './group.js'
import { checkGroupLimits, type GroupLimits } from './group-record.js'
import { guardedDisk } from './guarded-disk.js'
import { type ControlledHub, HubControl, runCommand } from './hub-control.js'
import type { HubHost } from './hub-host.js'
import type { OpenJournal } from './journal-seam.js'
import { checkName, shown } from './names.js'
import {
  type Asker,
  checkMayControl,
  checkMayWrite,
  mayReadDisks,
  mayWrite,
  openRights,
  type Rights,
  takesDisks,
} from './rights.js'
import { type BranchStart, type NbdAddress, startArguments } from './start-arguments.js'
import { newestTerm, type TakeOverOf, type TermLease } from './terms.js'

export interface HubOptions {
  /** The hub's name: by it, it owns its groups. */
  name: string
  /** Where all is. */
  folder: Folder
  host: HubHost
  /** `GroupJournal.open` by default. */
  openJournal?: OpenJournal | undefined
  rights?: Rights | undefined
  /** Of each group, unless `groupLimits` says otherwise. */
  limits?: GroupLimits | undefined
  groupLimits?: Readonly<Record<string, GroupLimits>> | undefined
  /** Groups that are there before an agent names them. */
  wanted?: readonly string[] | undefined
  /** How many groups there may be. 1000 by default. */
  groupsAtMost?: number | undefined
  /** Takes groups of other hubs over; with `true`, also those of a hub of the same name, which may still write. */
  takeOver?: TakeOverOf | undefined
  /** It claims and acknowledges while that is held, and only then. */
  lease?: TermLease | undefined
  /** Where its branches are served over NBD. */
  nbd?: NbdAddress | undefined
  /** The name in the certificate that it shows there; undefined without TLS. */
  nbdCertified?: string | undefined
  /** Hears what goes wrong where nobody asked. */
  onProblem?: ((problem: ReplicationError) => void) | undefined
}

/** What may change of a hub while it runs. */
export type HubPolicy = Pick<HubOptions, 'rights' | 'limits' | 'groupLimits' | 'wanted' | 'groupsAtMost'>

/** A group that cannot be opened. */
export interface ClosedGroup {
  name: string
  problem: ReplicationError
}

const openGroupJournal: OpenJournal = (folder, options) => GroupJournal.open(folder, options)

const groupsFolder = 'groups'
/** How many volumes of an agent's report are kept. */
const reportAtMost = 4096

/** All groups of a data folder, the agents that send them, and those who control them. */
export class Hub implements SessionHub, ControlledHub {
  #options: HubOptions
  readonly #folder: Folder
  readonly #groups = new Map<string, HubGroup>()
  readonly #opening = new Map<string, Promise<HubGroup>>()
  readonly #closed = new Map<string, ReplicationError>()
  readonly #sessions = new Map<string, AgentSession>()
  #isClosed = false

  private constructor(options: HubOptions) {
    this.#options = options
    this.#folder = options.folder.folder(groupsFolder)
  }

  /** Opens all groups. Those that cannot be are listed by `closedGroups`. @throws ReplicationError bad-name, file-failed */
  static async open(options: HubOptions): Promise<Hub> {
    checkName('hub', options.name)
    checkLimits(options)
    const hub = new Hub(options)
    try {
      await options.folder.sync()
      for (const name of hub.#folder.folders())
        if (isName(name) && newestTerm(hub.#folder.folder(name)) !== undefined) await hub.#tryOpen(name)
      for (const name of options.wanted ?? [])
        if (!hub.#groups.has(name) && !hub.#closed.has(name)) await hub.#tryOpen(name)
    } catch (error) {
      throw fileError("the hub's folder cannot be read", error)
    }
    return hub
  }

  get rights(): Rights {
    return this.#options.rights ?? openRights
  }

  get name(): string {
    return this.#options.name
  }

  get groups(): HubGroup[] {
    return [...this.#groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Those that could not be opened, and why. */
  get closedGroups(): ClosedGroup[] {
    return [...this.#closed].map(([name, problem]) => ({ name, problem }))
  }

  /** The agents that are connected. */
  get agents(): readonly string[] {
    return [...this.#sessions.keys()].sort()
  }

  /** The hub's clock, in microseconds. */
  now(): number {
    return this.#options.host.now()
  }

  /** What somebody may ask of it. */
  control(asker: Asker): HubControl {
    return new HubControl(this, asker)
  }

  /** An agent has come. */
  connected(session: HubSession, agent: string): AgentSession {
    const own = new AgentSession(session, agent, this)
    this.#sessions.set(agent, own)
    return own
  }

  /**
   * The export of an NBD client, which is named `GROUP/BRANCH/DISK`, or as at the agent, `GROUP/DISK`, for the branch that has taken over. Undefined
   * where there is none of that name, or none for who has that certificate.
   */
  findExport(name: string, { isCertified }: NbdAsker = {}): NbdExport | undefined {
    const [group = '', ...words] = name.split('/')
    const { branches, record } = this.#groups.get(group) ?? {}
    const [branch, volume, ...rest] = words.length === 1 ? [record?.life.branch, ...words] : words
    if (rest.length > 0 || branch === undefined || volume === undefined) return undefined
    const served = branches?.served(branch)
    if (!served?.volumes.some(one => one.name === volume)) return undefined
    if (isCertified !== undefined && !mayReadDisks(this.rights, group, isCertified)) return undefined
    const { lease } = this.#options
    const disk = served.disk(volume)
    const backend = lease === undefined ? disk : guardedDisk(disk, () => lease.check())
    const description = `${volume} of ${group}, branch ${branch}`
    // by this name its clients are found again
    return { name: `${group}/${branch}/${volume}`, backend, description }
  }

  exportNames({ isCertified }: NbdAsker = {}): string[] {
    const groups = this.groups.filter(
      ({ name }) => isCertified === undefined || mayReadDisks(this.rights, name, isCertified),
    )
    return groups.flatMap(({ branches }) =>
      branches.records.flatMap(({ name }) => (branches.served(name) === undefined ? [] : branches.exportNames(name))),
    )
  }

  /** Makes a group, before an agent names it. @throws ReplicationError bad-name, in-use, full, file-failed */
  async create(name: string): Promise<HubGroup> {
    if (this.#groups.has(name)) throw new ReplicationError('in-use', `there is a group ${name}`)
    return await this.#open(name)
  }

  /**
   * Takes other rights and limits, and makes groups that are wanted now. Streams of agents that may not send their groups any more end, and
   * nothing else does; whoever was refused and may now is told.
   *
   * @returns what could not be done with single groups: a group keeps its former limits then
   * @throws ReplicationError wrong-state for a limit that is none: nothing is changed
   */
  async change(policy: HubPolicy): Promise<readonly ReplicationError[]> {
    checkLimits(policy)
    const before = this.rights
    this.#options = { ...this.#options, ...policy }
    await this.#enforce(before)
    const problems: ReplicationError[] = []
    for (const group of this.groups)
      await group
        .limit(this.#limitsOf(group.name))
        .catch(error => problems.push(fileError(`the limits of the group ${group.name} cannot be changed`, error)))
    for (const name of policy.wanted ?? []) {
      if (!this.#groups.has(name)) await this.#tryOpen(name)
      const problem = this.#closed.get(name)
      if (problem !== undefined) problems.push(problem)
    }
    this.#tellAllowed(before)
    return problems
  }

  /** To be called about once a second. */
  async look(): Promise<void> {
    await Promise.all(this.groups.map(group => group.look()))
  }

  /** Ends everything; what was acknowledged is durable. The sessions are the caller's to end, first. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#opening.values())
    await Promise.all(this.groups.map(group => group.close()))
    this.#groups.clear()
  }

  /** @throws ReplicationError not-found, not-allowed, owned */
  groupOf(name: string, asker: Asker): HubGroup {
    checkName('group', name)
    this.#options.lease?.check()
    checkMayControl(this.rights, name, asker)
    const group = this.#groups.get(name)
    if (group !== undefined) return group
    throw this.#closed.get(name) ?? new ReplicationError('not-found', `there is no group ${name}`)
  }

  /** @throws ReplicationError not-failed-over where no branch is named and there is no fail-over; not-found */
  start(group: string, branch: string | undefined, reconnectDelay?: number): BranchStart {
    const { branches, record } = this.groupOf(group, 'owner')
    const name = branch ?? record.life.branch
    if (name === undefined)
      throw new ReplicationError(
        'not-failed-over',
        `the group ${group} is not failed over: its replica is not started; begin a test, or a fail-over`,
      )
    const { nbd } = this.#options
    if (nbd === undefined)
      throw new ReplicationError('wrong-state', 'the hub serves no NBD: say where in its configuration')
    const { volumes } = branches.get(name)
    return startArguments({
      group,
      branch: name,
      volumes,
      address: nbd,
      certified: this.#options.nbdCertified,
      reconnectDelay,
    })
  }

  /** The side of a group's agent: that of its last stream, or another one. @throws ReplicationError lost where it is not connected */
  agentSide(group: string, agent = this.groupOf(group, 'owner').record.agent): AgentSide {
    const session = agent === undefined ? undefined : this.#sessions.get(agent)
    if (agent === undefined || session === undefined)
      throw new ReplicationError('lost', `the agent ${agent ?? ''} of the group ${group} is not connected`)
    checkMayWrite(this.rights, group, agent)
    const { lease } = this.#options
    const check = lease && (() => lease.check())
    return new AgentSide(session.session, agent, group, session.channelOf(group) ?? 0, check)
  }

  async groupFor(agent: string, name: string): Promise<HubGroup> {
    checkName('group', name)
    checkMayWrite(this.rights, name, agent)
    const problem = this.#closed.get(name)
    // there may be room now
    if (problem !== undefined && problem.code !== 'full') throw problem
    return this.#groups.get(name) ?? (await this.#open(name))
  }

  command(agent: string, execute: string, given: unknown, gone: AbortSignal): Promise<unknown> {
    return runCommand(this.control({ name: agent }), execute, given, gone)
  }

  reported(agent: string, volumes: readonly VolumeReport[], saidSince?: number): void {
    const known = volumes.slice(0, reportAtMost)
    for (const group of this.#groups.values())
      if (group.record.agent === agent && mayWrite(this.rights, group.name, agent))
        group.report(
          known.filter(volume => volume.group === group.name),
          saidSince,
        )
  }

  ended(session: AgentSession): void {
    if (this.#sessions.get(session.agent) === session) this.#sessions.delete(session.agent)
  }

  #open(name: string): Promise<HubGroup> {
    const opening = this.#opening.get(name) ?? this.#openNow(name).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return opening
  }

  async #openNow(name: string): Promise<HubGroup> {
    checkName('group', name)
    const { groupsAtMost = 1000, host, openJournal = openGroupJournal, takeOver, name: hub, lease } = this.#options
    const count = this.#groups.size + this.#closed.size + this.#opening.size
    if (count >= groupsAtMost && !this.#folder.folders().includes(name))
      throw new ReplicationError('full', `the hub has ${count} groups, and takes no more: ${shown(name)} is not made`)
    if (this.#isClosed) throw new ReplicationError('lost', 'the hub ends')
    const folder = this.#folder.folder(name)
    const group = await HubGroup.open({
      folder,
      name,
      hub,
      host,
      openJournal,
      takeOver,
      lease,
      limits: this.#limitsOf(name),
    })
    await this.#folder.sync()
    this.#groups.set(name, group)
    this.#closed.delete(name)
    return group
  }

  #limitsOf(group: string): GroupLimits {
    const { limits, groupLimits } = this.#options
    const own = groupLimits !== undefined && Object.hasOwn(groupLimits, group) ? groupLimits[group] : undefined
    return { ...limits, ...own }
  }

  /** What is not allowed any more ends. */
  async #enforce(before: Rights): Promise<void> {
    const { rights } = this
    const { host, nbdCertified } = this.#options
    for (const { name, stream, branches } of this.groups) {
      const agent = stream.attachment?.link.agent
      if (agent !== undefined && !mayWrite(rights, name, agent))
        stream.stop(
          'not-allowed',
          `the hub's configuration was changed: ${shown(agent)} may not send the group ${name}`,
        )
      // who still may connects again
      if (nbdCertified !== undefined && takesDisks(before, rights, name))
        await host.dropExports(branches.records.flatMap(branch => branches.exportNames(branch.name)))
    }
  }

  /** An agent that was refused for good tries again when it is told. */
  #tellAllowed(before: Rights): void {
    const names = new Set([...Object.keys(this.rights.groups), ...this.#groups.keys()])
    for (const { agent, session } of this.#sessions.values())
      for (const group of names)
        if (mayWrite(this.rights, group, agent) && !mayWrite(before, group, agent))
          session.send({ kind: 'ready', group })
  }

  async #tryOpen(name: string): Promise<void> {
    try {
      await this.#open(name)
    } catch (error) {
      const problem = fileError(`the group ${name} cannot be opened`, error)
      this.#closed.set(name, problem)
      this.#options.onProblem?.(problem)
    }
  }
}

/** @throws ReplicationError wrong-state */
function checkLimits({ limits, groupLimits = {} }: HubPolicy): void {
  for (const one of [limits, ...Object.values(groupLimits)]) if (one !== undefined) checkGroupLimits(one)
}
