import { setTimeout as pause } from 'node:timers/promises'
import type { AgentStatus } from '../../replication/node/agent.js'
import type { AgentGroupStatus } from '../../replication/node/agent-group.js'
import { ReplicationError } from '../../replication/replication-error.js'
import { cleanCheckpoint } from '../group-names.js'
import { mayPromoteAgent } from '../group-promotion.js'
import { agentGroupView } from '../group-view.js'
import { OcfFailure } from '../ocf-failure.js'
import type { GroupProperties } from './group-properties.js'
import type { GroupService } from './group-service.js'
import type { GroupLook, GroupSide } from './group-side.js'

/** How long a hub that is not connected is waited for when its agent is demoted, in milliseconds. */
const waitForHub = 3000
const lookInterval = 100

/** Where guests have a group's disks beside the agent. */
export class GroupAgentSide implements GroupSide {
  readonly service = 'repagent'
  readonly #agent: GroupService
  readonly #properties: GroupProperties
  readonly #node: string

  constructor(agent: GroupService, properties: GroupProperties, node: string) {
    this.#agent = agent
    this.#properties = properties
    this.#node = node
  }

  async look(): Promise<GroupLook | undefined> {
    const group = await this.#find()
    if (group === undefined) return undefined
    const view = agentGroupView(group)
    const { guests } = group
    const score = async () => {
      if (guests !== 'held' || view.score === undefined) return view.score
      return mayPromoteAgent(group, await this.#properties.facts()).may ? view.score : undefined
    }
    return { isOpen: guests !== 'held', view, score }
  }

  async hold(): Promise<void> {
    await this.#agent.ask('hold')
  }

  async checkPromotion(force: boolean): Promise<void> {
    if (force) return
    const group = await this.#group()
    if (agentGroupView(group).score === undefined) throw cannot(`the agent's disks: ${agentGroupView(group).state}`)
    const leave = mayPromoteAgent(group, await this.#properties.facts())
    if (!leave.may) throw cannot(leave.why)
  }

  async promote({ number, force }: { number: number; force: boolean }): Promise<void> {
    // before any guest writes something that the hub lacks
    await this.#properties.setClean(undefined)
    if (force) await this.#properties.setEpoch(undefined)
    await this.#agent.ask('open', { promotion: number, force })
  }

  async handOver(): Promise<void> {
    const patience = performance.now() + waitForHub
    while (this.#agent.left > 1) {
      const group = await this.#group()
      if (isSent(group)) break
      // a hub that is not there is not waited for as one that is brought up to date
      const isTaken = group.volumes.some(({ state }) => ['protected', 'syncing', 'resyncing'].includes(state.state))
      if (!isTaken && performance.now() > patience) break
      await pause(lookInterval)
    }
    await this.settle()
  }

  async settle(): Promise<void> {
    const group = await this.#group()
    const facts = await this.#properties.facts()
    if (group.guests !== 'held') {
      // be it that nobody has promoted it: guests write
      if (facts.clean !== undefined) await this.#properties.setClean(undefined)
      if (group.guests === 'open' && group.isManaged === false)
        await this.#agent.ask('open', { promotion: facts.number, force: false })
      if (isSent(group)) await this.#endOnly(this.#node)
      return
    }
    if (agentGroupView(group).score === undefined || !mayPromoteAgent(group, facts).may) return
    const checkpoint = cleanCheckpoint(facts.number)
    if (isSent(group) && facts.clean !== checkpoint) await this.#name(checkpoint)
    // the hub has given the group back, or takes it again: whoever was alone is so no more
    if (isSent(group) || facts.epoch > 0) await this.#endOnly()
  }

  /** The hub has all, durably, and says so; nothing comes after it before the next promotion. */
  async #name(checkpoint: string): Promise<void> {
    try {
      await this.#agent.ask('checkpoint', { name: checkpoint })
    } catch (error) {
      // the hub has gone, or is brought up to date again: another time
      if (error instanceof ReplicationError && (error.code === 'wrong-state' || error.code === 'lost')) return
      throw error
    }
    if ((await this.#group()).guests === 'held') await this.#properties.setClean(checkpoint)
  }

  /** Either side may be promoted, by what is known of its data. @param node only where that one is alone */
  async #endOnly(node?: string): Promise<void> {
    const only = await this.#properties.only()
    if (only === undefined || (node !== undefined && only !== node)) return
    if (!(await this.#properties.isForced())) await this.#properties.setOnly(undefined)
  }

  async #find(): Promise<AgentGroupStatus | undefined> {
    const { groups } = await this.#agent.look<AgentStatus>('status')
    return groups.find(({ name }) => name === this.#agent.group)
  }

  async #group(): Promise<AgentGroupStatus> {
    const group = await this.#find()
    if (group !== undefined) return group
    throw new OcfFailure('genericError', `repagent has no group ${this.#agent.group}`)
  }
}

/** The hub has all that was written, or gets it at once. */
const isSent = ({ volumes }: AgentGroupStatus): boolean =>
  volumes.length > 0 && volumes.every(({ state }) => state.state === 'protected')

const cannot = (why: string): OcfFailure => new OcfFailure('genericError', `${why}: see xl-cluster force`)
