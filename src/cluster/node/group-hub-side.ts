import { LinkError } from '../../link/link-error.js'
import type { GroupStatus } from '../../replication/hub/group-status.js'
import type { HubStatus } from '../../replication/node/hub-server.js'
import { ReplicationError } from '../../replication/replication-error.js'
import { promotionBranch } from '../group-names.js'
import { type GroupFacts, type Leave, mayPromoteHub } from '../group-promotion.js'
import { hubGroupView, isHubPromoted } from '../group-view.js'
import { OcfFailure } from '../ocf-failure.js'
import type { GroupProperties } from './group-properties.js'
import type { GroupService } from './group-service.js'
import type { GroupLook, GroupSide } from './group-side.js'

/** How long a fail-back is watched that nobody waits for, in milliseconds: so long, what is refused at once is heard. */
const watchFor = 300

export interface GroupHubSideOptions {
  hub: GroupService
  properties: GroupProperties
  /** This node, and the agent's. */
  nodes: { hub: string; agent: string }
  /** In seconds. */
  mayLose: number | undefined
}

/** Where guests have the copies of a group's disks. */
export class GroupHubSide implements GroupSide {
  readonly service = 'rephub'
  readonly #options: GroupHubSideOptions

  constructor(options: GroupHubSideOptions) {
    this.#options = options
  }

  async look(): Promise<GroupLook | undefined> {
    const { group: name } = this.#options.hub
    const { groups, closed } = await this.#look()
    const failed = closed.find(one => one.name === name)
    if (failed !== undefined) throw new OcfFailure('genericError', failed.message)
    const group = groups.find(one => one.name === name)
    if (group === undefined) return undefined
    const view = hubGroupView(group)
    const isOpen = isHubPromoted(group)
    const score = async () => {
      if (isOpen || view.score === undefined) return view.score
      return (await this.#leave(group)).may ? view.score : undefined
    }
    return { isOpen, view, score }
  }

  async hold(): Promise<void> {
    await this.#options.hub.ask('hold')
  }

  async checkPromotion(force: boolean): Promise<void> {
    const group = await this.#group()
    if (group.busy !== undefined)
      throw new OcfFailure('genericError', `the ${group.busy.what} of the group is under way: the agent's node gets it`)
    if (force) return
    const leave = await this.#leave(group)
    if (!leave.may) throw new OcfFailure('genericError', `${leave.why}: see xl-cluster force`)
  }

  async promote({ number, force }: { number: number; force: boolean }): Promise<void> {
    const { hub, properties, nodes } = this.#options
    const group = await this.#group()
    const isBegun = ['failing-over', 'failed-over', 'committed'].includes(group.state)
    const { lost } = force ? { lost: 0 } : { lost: 0, ...(await this.#leave(group)) }
    // from now on the agent's disks are older, though it may not know
    await properties.setEpoch(isBegun ? group.epoch : group.epoch + 1)
    await properties.setOnly(nodes.hub)
    if (lost > 0) await properties.setLost(`${number} ${nodes.hub} up to ${lost.toFixed(1)} s`)
    if (!isBegun) await hub.ask('fail-over', { branch: promotionBranch(number) })
    if (group.state === 'failing-over') await hub.ask('fail-over')
    await hub.ask('release')
    await properties.setClean(undefined)
  }

  async handOver(): Promise<void> {
    await this.#failBack(this.#options.hub.left)
  }

  async settle(): Promise<void> {
    await this.#failBack(watchFor)
  }

  /** Gives the group back where its agent is there. The hub goes on with it when nobody waits any more. */
  async #failBack(timeout: number): Promise<void> {
    const { hub, properties, nodes } = this.#options
    const { groups, agents } = await this.#look()
    const group = groups.find(({ name }) => name === hub.group)
    if (group?.isHeld !== true || !['failed-over', 'committed', 'returning'].includes(group.state)) return
    if (group.agent === undefined || !agents.includes(group.agent)) return
    // an operator has said that what the agent has counts
    if ((await properties.only()) === nodes.agent) return
    try {
      await hub.ask('fail-back', {}, timeout)
    } catch (error) {
      if (error instanceof LinkError && error.code === 'ETIMEDOUT') return
      // it is begun already, or cannot be now
      if (error instanceof ReplicationError) throw new Error(`the group is not given back yet: ${error.message}`)
      throw error
    }
  }

  async #leave(status: GroupStatus): Promise<Leave> {
    const { properties, mayLose } = this.#options
    const facts = await properties.facts()
    const checkpoints = new Set(await this.#checkpoints(facts))
    return mayPromoteHub({ status, facts, checkpoints, mayLose })
  }

  async #checkpoints({ clean }: GroupFacts): Promise<string[]> {
    if (clean === undefined) return []
    const points = (await this.#options.hub.ask('points')) as readonly { name?: string }[]
    return points.flatMap(({ name }) => name ?? [])
  }

  #look(): Promise<HubStatus> {
    return this.#options.hub.look<HubStatus>('hub')
  }

  async #group(): Promise<GroupStatus> {
    const { hub } = this.#options
    const { groups } = await this.#look()
    const group = groups.find(({ name }) => name === hub.group)
    if (group !== undefined) return group
    throw new OcfFailure('genericError', `rephub has no group ${hub.group}`)
  }
}
