import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentStatus, HubStatus } from 'xenlight/replication'
import { eventually } from '../../test/protocol-d/eventually.js'
import { askControl } from '../../test/replication/ask-control.js'
import { Served } from '../../test/replication/served.js'

export const group = 'web'
const disk = 'disk'
/** How long a copy may take, in milliseconds. */
export const longest = 300_000

export type Way = 'inline' | 'cycles' | 'child'

export interface PlaceOptions {
  /** Inline by default. */
  way?: Way
  /** How often there is a consistency point, of a way that is not inline. */
  every?: string
  /** What waits for the hub. */
  buffer?: { memory: string; file: string }
  /** How large the hub's journal gets before it is folded. */
  journal?: string
}

type AgentGroup = AgentStatus['groups'][number]

/** A group of one disk, its agent and its hub: a temporary folder, in which none of them runs yet. */
export class Place implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'bench-'))
  readonly hub: Served
  readonly agent: Served
  /** The text of the hub's configuration. */
  readonly hubConfig: string
  #checkpoints = 0

  constructor({ way = 'inline', every = '1s', buffer, journal = '10G' }: PlaceOptions = {}) {
    for (const name of ['state', 'run', 'data']) mkdirSync(this.path(name))
    const running = { way, qmp: this.path('qmp'), every, disks: { [disk]: { node: 'd' } } }
    const web = way === 'inline' ? { disks: { [disk]: { image: this.image } } } : running
    const listen = this.path('h')
    const agent = {
      ...{ name: 'anna', hub: listen, state: this.path('state'), run: this.path('run') },
      ...{ control: this.path('agent.ctl'), buffer, groups: { [group]: web } },
    }
    const hub = { data: this.path('data'), listen, nbd: this.path('n'), control: this.path('hub.ctl') }
    this.hubConfig = JSON.stringify({ ...hub, journal: { size: journal } })
    this.hub = new Served({ name: 'rephub', config: this.#configFile('hub', this.hubConfig) })
    this.agent = new Served({ name: 'repagent', config: this.#configFile('agent', JSON.stringify(agent)) })
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** The disk's, in a raw file. */
  get image(): string {
    return this.path('disk.img')
  }

  /** Where the agent serves it, inline. */
  get served(): { path: string; export: string } {
    return { path: this.path(`run/${group}.${disk}.sock`), export: `${group}/${disk}` }
  }

  get uri(): string {
    return `nbd+unix:///${this.served.export}?socket=${this.served.path}`
  }

  /** Starts it, and waits until it can be asked. */
  async start(who: 'agent' | 'hub'): Promise<void> {
    const served = this[who]
    served.start()
    await eventually(`the ${who} can be asked`, () => {
      if (!served.isRunning) throw new Error(`the ${who} has ended: ${served.said}`)
      return succeeds(this.ask(who, 'status'))
    })
  }

  /** Starts the hub and the agent, and waits for the first copy. */
  async startBoth(): Promise<void> {
    for (const who of ['hub', 'agent'] as const) await this.start(who)
    await this.untilProtected()
  }

  ask<Result>(who: 'agent' | 'hub', execute: string, given?: object): Promise<Result> {
    return askControl(this.path(`${who}.ctl`), who, execute, given)
  }

  async agentGroup(): Promise<AgentGroup> {
    const { groups } = await this.ask<AgentStatus>('agent', 'status')
    return groups[0]!
  }

  async hubGroup(): Promise<HubStatus['groups'][number]> {
    const groups = await this.ask<HubStatus['groups']>('hub', 'status')
    return groups[0]!
  }

  /** Waits until the agent says so of the group. */
  async until(what: string, isSo: (group: AgentGroup) => boolean): Promise<AgentGroup> {
    let last: AgentGroup | undefined
    await eventually(
      what,
      async () => {
        // to ask is work for the agent
        await delay(15)
        last = await this.agentGroup()
        return isSo(last)
      },
      () => `${JSON.stringify(last)}; the agent said ${this.agent.said}; the hub said ${this.hub.said}`,
      longest,
    )
    return last!
  }

  /** Waits until the disk is protected, and nothing is on its way. */
  async untilProtected(): Promise<void> {
    await this.until('the disk is protected', ({ queued, volumes }) => {
      return queued === 0 && volumes[0]!.state.state === 'protected'
    })
  }

  /** Waits until the hub has all that was written so far. */
  async untilCaughtUp(): Promise<void> {
    await eventually(
      'the hub has all',
      async () => {
        await delay(15)
        return succeeds(this.ask('agent', 'checkpoint', { group, name: `c${this.#checkpoints++}` }))
      },
      () => `the agent said ${this.agent.said}`,
      longest,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.agent.kill(), this.hub.kill()])
    rmSync(this.folder, { recursive: true, force: true })
  }

  #configFile(name: string, text: string): string {
    const path = this.path(`${name}.yaml`)
    writeFileSync(path, text)
    return path
  }
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  )
