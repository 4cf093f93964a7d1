import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LinkError } from '../../link/link-error.js'
import type { Resource } from '../agent.js'
import type { ClusterManager } from '../cluster-manager.js'
import type { ClusterView } from '../cluster-view.js'
import { mayLoseOf, sidesOf } from '../group-agent.js'
import type { OcfEnvironment } from '../ocf-environment.js'
import { OcfFailure } from '../ocf-failure.js'
import { GroupAgentSide } from './group-agent-side.js'
import { GroupHubSide } from './group-hub-side.js'
import { GroupProperties } from './group-properties.js'
import { GroupService } from './group-service.js'
import type { GroupLook, GroupSide } from './group-side.js'
import { groupLockFile } from './group-state-files.js'
import { isLocked } from './is-locked.js'
import type { RunPlace } from './run-place.js'

/** How often it looks whether the service is there, in milliseconds. */
const lookInterval = 200

/** The codes of a socket at which nobody listens. */
const isNobody = (error: unknown): boolean =>
  error instanceof LinkError && ['ENOENT', 'ECONNREFUSED'].includes(error.code)

interface OurSide {
  side: GroupSide
  /** Where its service says how its groups are. */
  folder: string
}

/**
 * A side of a group, which a service serves that is not ours to start. Started is one that the manager has started, by a file in the
 * resource's folder, and one whose disks guests may have, whoever has said so.
 */
export class GroupResource implements Resource {
  readonly #environment: OcfEnvironment
  readonly #place: RunPlace
  readonly #cluster: ClusterManager
  #known: OurSide | undefined
  /** What the service says by itself, and what is told to the manager of that. */
  #score: number | undefined

  constructor(environment: OcfEnvironment, place: RunPlace, cluster: ClusterManager) {
    this.#environment = environment
    this.#place = place
    this.#cluster = cluster
  }

  async validate(): Promise<void> {
    const { agent_control = '', hub_control = '', agent_states = '', hub_states = '' } = this.#environment.parameters
    for (const path of [agent_control, hub_control, agent_states, hub_states])
      if (!path.startsWith('/')) throw new OcfFailure('notConfigured', `${path} is no absolute path`)
    mayLoseOf(this.#environment)
    // one that this node is
    this.#ours()
  }

  async isServed(): Promise<boolean | undefined> {
    const { node } = this.#environment
    // a manager looks on all nodes
    if (!Object.values(sidesOf(this.#environment)).includes(node)) return false
    const { side } = this.#ours()
    const lock = this.#lock
    const locked = existsSync(lock) ? await isLocked(lock) : false
    let look: GroupLook | undefined
    try {
      look = await side.look()
    } catch (error) {
      return locked === false && isNobody(error) ? false : undefined
    }
    if (look === undefined) return false
    if (locked === false) throw this.#withoutFiles()
    return look.isOpen || existsSync(this.#started)
  }

  async view(): Promise<ClusterView> {
    const look = await this.#ours().side.look()
    if (look === undefined) throw new OcfFailure('notRunning', 'its service does not know the group')
    this.#score = look.view.score
    // what the cluster does not say now is no reason to promote
    const score = await look.score().catch(() => undefined)
    return { ...look.view, score }
  }

  async start(): Promise<void> {
    const { side } = this.#ours()
    await this.#awaitService()
    await side.hold()
    this.#noteStart()
    rmSync(this.#scoreFile, { force: true })
  }

  async stop(): Promise<void> {
    await this.#demote()
  }

  stopped(): void {
    for (const file of [this.#started, this.#scoreFile]) rmSync(file, { force: true })
  }

  checkPromotion(force: boolean): Promise<void> {
    return this.#ours().side.checkPromotion(force)
  }

  promote(options: { number: number; force: boolean }): Promise<void> {
    return this.#ours().side.promote(options)
  }

  async demote(): Promise<void> {
    await this.#demote()
    this.#noteStart()
  }

  settle(): Promise<void> {
    return this.#ours().side.settle()
  }

  /** The agent asks again when the service says another one. */
  scored(): void {
    mkdirSync(this.#place.folder, { recursive: true, mode: 0o700 })
    writeFileSync(this.#scoreFile, this.#score === undefined ? '' : `${this.#score}`)
  }

  /** No guest has the disks afterwards: that is what is promised. What else is to be done goes on with the next monitors. */
  async #demote(): Promise<void> {
    const { side } = this.#ours()
    await side.hold()
    await side.handOver().catch(() => {})
  }

  #noteStart(): void {
    mkdirSync(this.#place.folder, { recursive: true, mode: 0o700 })
    writeFileSync(this.#started, '')
  }

  /** Its services may be started beside the cluster. @throws OcfFailure where it is not there in time */
  async #awaitService(): Promise<void> {
    const { side } = this.#ours()
    const lock = this.#lock
    const { timeout, parameters } = this.#environment
    const { group } = parameters
    const end = performance.now() + timeout * 0.6
    for (;;) {
      const why = await side.look().then(
        async look => {
          if (look === undefined) return `${side.service} has no group ${group}`
          return existsSync(lock) && (await isLocked(lock)) === true ? undefined : this.#withoutFiles().message
        },
        (error: Error) => error.message,
      )
      if (why === undefined) return
      if (performance.now() >= end) throw new OcfFailure('genericError', why)
      await pause(lookInterval)
    }
  }

  #withoutFiles(): OcfFailure {
    const { side, folder } = this.#ours()
    const { service } = side
    return new OcfFailure('genericError', `${service} does not say how it is: start it with --state-files ${folder}`)
  }

  /** The side that this node is. @throws OcfFailure notConfigured, wrongArguments */
  #ours(): OurSide {
    this.#known ??= this.#findSide()
    return this.#known
  }

  #findSide(): OurSide {
    const environment = this.#environment
    const nodes = sidesOf(environment)
    const { node, instance, parameters } = environment
    const { agent_control = '', hub_control = '', agent_states = '', hub_states = '' } = parameters
    const properties = new GroupProperties(this.#cluster, instance)
    if (node === nodes.agent) {
      const agent = new GroupService('the agent', agent_control, environment)
      return { side: new GroupAgentSide(agent, properties, node), folder: agent_states }
    }
    if (node !== nodes.hub)
      throw new OcfFailure('wrongArguments', `this node, ${node}, is neither the agent's nor the hub's`)
    const hub = new GroupService('the hub', hub_control, environment)
    const side = new GroupHubSide({ hub, properties, nodes, mayLose: mayLoseOf(environment) })
    return { side, folder: hub_states }
  }

  /** What the service has locked. */
  get #lock(): string {
    const { side, folder } = this.#ours()
    return groupLockFile(folder, side.service === 'repagent' ? 'agent' : 'hub')
  }

  get #started(): string {
    return join(this.#place.folder, 'started')
  }

  get #scoreFile(): string {
    return join(this.#place.folder, 'score')
  }
}
