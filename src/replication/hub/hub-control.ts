import { Buffer } from 'node:buffer'
import { ReplicationError } from '../replication-error.js'
import { dataAtMost, type VolumeInfo } from '../wire/message.js'
import type { AgentSide } from './agent-side.js'
import { CommandArguments } from './command-arguments.js'
import { fileError } from './file-error.js'
import type { HubGroup } from './group.js'
import type { BranchRecord } from './group-record.js'
import type { GroupStatus } from './group-status.js'
import type { NamedPoint, PointsRange } from './journal-seam.js'
import type { FailBackOptions, Returned } from './life.js'
import { shown } from './names.js'
import type { At } from './resolve-point.js'
import { type Asker, mayControl, type Rights } from './rights.js'
import type { BranchStart } from './start-arguments.js'

/** How many points are listed at a time. */
const pointsAtMost = 10_000
/** The longest command as JSON, in bytes: one that writes has its data in base64. */
export const commandAtMost = 2 * dataAtMost
const branchOf = (kind: string, now: number): string =>
  `${kind}-${new Date(now / 1000).toISOString().replaceAll(/[-:.]/g, '')}`

export interface BranchWish {
  /** By default one is made of the time. */
  branch?: string | undefined
  /** The newest moment by default. */
  at?: At | undefined
}

/** What a hub does for those who ask. */
export interface ControlledHub {
  readonly rights: Rights
  readonly groups: readonly HubGroup[]
  /** In microseconds. */
  now(): number
  groupOf(name: string, asker: Asker): HubGroup
  agentSide(group: string, agent?: string): AgentSide
  start(group: string, branch: string | undefined, reconnectDelay?: number): BranchStart
}

/** What somebody asks of a hub, within the rights that they have. All throw ReplicationError: `not-allowed` where they have none. */
export class HubControl {
  readonly #hub: ControlledHub
  readonly #asker: Asker

  constructor(hub: ControlledHub, asker: Asker) {
    this.#hub = hub
    this.#asker = asker
  }

  /** Of one group, or of all that may be seen. */
  status(group?: string): GroupStatus[] {
    if (group !== undefined) return [this.#group(group).status()]
    return this.#hub.groups
      .filter(({ name }) => mayControl(this.#hub.rights, name, this.#asker))
      .map(one => one.status())
  }

  points(group: string, { from, to, every }: PointsRange = {}): NamedPoint[] {
    const points: NamedPoint[] = []
    for (const point of this.#group(group).journal.points({ from, to, every })) {
      points.push(point)
      if (points.length >= pointsAtMost) break
    }
    return points
  }

  test(group: string, { branch, at = { newest: true } }: BranchWish = {}): Promise<BranchRecord> {
    const name = branch ?? branchOf('test', this.#hub.now())
    return this.#group(group).life.test({ name, at, by: this.#by })
  }

  failOver(group: string, { branch, at = { newest: true } }: BranchWish = {}): Promise<BranchRecord> {
    const one = this.#group(group)
    const { life } = one.record
    const begun = life.state === 'failing-over' ? life.branch : undefined
    const name = branch ?? begun ?? branchOf('failover', this.#hub.now())
    return one.life.failOver({ name, at, by: this.#by })
  }

  commit(group: string, branch: string): Promise<void> {
    return this.#group(group).life.commit(branch, this.#by)
  }

  discard(group: string, branch: string): Promise<void> {
    return this.#group(group).life.discard(branch, this.#by)
  }

  /** As `GroupLife.hold`. */
  hold(group: string): Promise<void> {
    return this.#group(group).life.hold()
  }

  release(group: string): Promise<void> {
    return this.#group(group).life.release()
  }

  /** Gives the truth back to an agent that is connected: by default the one that had it. */
  async failBack(
    group: string,
    options: Omit<FailBackOptions, 'by'> & { agent?: string | undefined } = {},
  ): Promise<Returned> {
    const one = this.#group(group)
    const side = this.#hub.agentSide(group, options.agent)
    const returned = await one.life.failBack(side, { ...options, by: this.#by })
    // one that does not take it compares everything, or is told its epoch by a user
    await side.command('adopt', { ...returned }).catch(() => {})
    return returned
  }

  /** Ends a fail-over whose content the agent has already, by other ways. */
  endFailOver(group: string, agent: string, options: Pick<FailBackOptions, 'progress'> = {}): Promise<Returned> {
    return this.#group(group).life.endFailOver(agent, { ...options, by: this.#by })
  }

  /** How a branch is started. @throws ReplicationError not-failed-over for the replica itself, which is not started */
  start(group: string, branch: string | undefined, reconnectDelay?: number): BranchStart {
    this.#group(group)
    return this.#hub.start(group, branch, reconnectDelay)
  }

  /** Asks a group's agent: protect, pause, resume, checkpoint, … */
  command(group: string, execute: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#group(group)
    return this.#hub.agentSide(group).command(execute, given)
  }

  /**
   * Reads a part of a volume, of at most 1 MiB: of a branch, or without one on its agent's host, which has to allow that (`read`).
   *
   * @throws ReplicationError not-found; wrong-state where there is no such part, or QEMU has the disk; not-allowed, lost; what the disk fails with
   */
  async read(group: string, volume: string, offset: number, length: number, branch?: string): Promise<Uint8Array> {
    const { journal, branches } = this.#group(group)
    if (branch === undefined) {
      const { number } = partOf(`the group ${group}`, journal.volumes, volume, offset, length)
      return await this.#hub.agentSide(group).read(number, offset, length)
    }
    const served = branches.get(branch)
    const { number } = partOf(`the branch ${branch}`, served.volumes, volume, offset, length)
    try {
      return await served.read(number, { offset, length })
    } catch (error) {
      throw fileError(`the branch ${branch} cannot be read`, error)
    }
  }

  /**
   * Writes a part of a protected volume, of at most 1 MiB, on its agent's host, which has to allow that (`write`), whether a guest has the disk or
   * not. It is replicated as what a guest writes, and durable there with `flush`.
   *
   * @throws ReplicationError as `read`; wrong-state, too, where the truth is not there: the group is failed over, or on its way there or back
   */
  async write(group: string, volume: string, offset: number, data: Uint8Array): Promise<void> {
    const { journal, life } = this.#group(group)
    const { number } = partOf(`the group ${group}`, journal.volumes, volume, offset, data.length)
    life.checkPrimary()
    await this.#hub.agentSide(group).write(number, offset, data)
  }

  /** Makes durable what was written to a protected group's volumes, on its agent's host. */
  async flush(group: string): Promise<void> {
    this.#group(group).life.checkPrimary()
    await this.#hub.agentSide(group).flush()
  }

  #group(name: string) {
    return this.#hub.groupOf(name, this.#asker)
  }

  get #by(): string {
    return this.#asker === 'owner' ? "the hub's user" : this.#asker.name
  }
}

/** @throws ReplicationError not-found, wrong-state */
function partOf(who: string, volumes: readonly VolumeInfo[], name: string, offset: number, length: number): VolumeInfo {
  const volume = volumes.find(one => one.name === name)
  if (volume === undefined) throw new ReplicationError('not-found', `${who} has no volume ${shown(name)}`)
  const { size } = volume
  if (offset < 0 || offset + length > size)
    throw new ReplicationError(
      'wrong-state',
      `${length} bytes at ${offset} are beyond the end of ${name}, which has ${size} bytes`,
    )
  if (length < 1 || length > dataAtMost)
    throw new ReplicationError('wrong-state', `a part of a volume has 1 to ${dataAtMost} bytes, and not ${length}`)
  return volume
}

type Command = (control: HubControl, given: CommandArguments, gone: AbortSignal | undefined) => unknown

const commands: Readonly<Record<string, Command>> = {
  status: (control, given) => control.status(given.optionalName('group')),
  points: (control, given) =>
    control.points(given.name('group'), {
      from: given.optionalNumber('from'),
      to: given.optionalNumber('to'),
      every: given.optionalNumber('every'),
    }),
  test: (control, given) => control.test(given.name('group'), { branch: given.optionalName('branch'), at: given.at() }),
  'fail-over': (control, given) =>
    control.failOver(given.name('group'), { branch: given.optionalName('branch'), at: given.at() }),
  commit: (control, given) => control.commit(given.name('group'), given.name('branch')),
  discard: (control, given) => control.discard(given.name('group'), given.name('branch')),
  hold: (control, given) => control.hold(given.name('group')),
  release: (control, given) => control.release(given.name('group')),
  'fail-back': (control, given, signal) => {
    const agent = given.optionalName('agent')
    // one that waits for a guest does so for somebody
    const waiting = given.flag('wait') ? { awaitsGuest: true, signal } : {}
    return control.failBack(given.name('group'), { agent, ...waiting })
  },
  'end-fail-over': (control, given) => control.endFailOver(given.name('group'), given.name('agent')),
  start: (control, given) =>
    control.start(given.name('group'), given.optionalName('branch'), given.optionalNumber('reconnectDelay', 86_400)),
  read: async (control, given) => {
    const [offset, length] = [given.number('offset'), given.number('length', dataAtMost)]
    const data = await control.read(
      given.name('group'),
      given.name('volume'),
      offset,
      length,
      given.optionalName('branch'),
    )
    return { data: Buffer.from(data.buffer, data.byteOffset, data.length).toString('base64') }
  },
  write: (control, given) =>
    control.write(given.name('group'), given.name('volume'), given.number('offset'), given.bytes('data', dataAtMost)),
  flush: (control, given) => control.flush(given.name('group')),
  agent: (control, given) => control.command(given.name('group'), given.text('execute'), given.object('arguments')),
}

/**
 * Does a command by its name, with arguments as they came; what it returns is for JSON.
 *
 * @param gone aborted when nobody waits for it any more
 * @throws ReplicationError
 */
export async function runCommand(
  control: HubControl,
  execute: string,
  given: unknown,
  gone?: AbortSignal,
): Promise<unknown> {
  const command = Object.hasOwn(commands, execute) ? commands[execute] : undefined
  if (command === undefined) throw new ReplicationError('not-found', `the hub knows no command ${shown(execute)}`)
  return (await command(control, new CommandArguments(execute, given ?? {}), gone)) ?? {}
}
