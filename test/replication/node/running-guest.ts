import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { cont } from 'xenlight/qmp'
import {
  Agent,
  type AgentOptions,
  type AgentStatus,
  HubServer,
  type HubServerOptions,
  readAgentConfig,
  readHubConfig,
} from 'xenlight/replication'
import { guestDiskSize, writesIn } from '../../guest/numbered-disks.js'
import { guestSector, lastReported } from '../../guest/numbered-guest.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { eventually } from '../../protocol-d/eventually.js'
import { type Qemu, startQemu } from '../../real/qemu.js'

export interface RunningSettings {
  way?: 'cycles' | 'child'
  format?: 'raw' | 'qcow2'
  disks?: number
  sectors?: number
  /** Of each disk, in bytes: what the guest does not write to is left alone. */
  size?: number
  deadline?: string
  every?: string
  memory?: number
}

const names = ['root', 'data', 'more', 'last']

/** A guest that writes numbers to its disks by turns, its QEMU, and what an agent and a hub are told. */
export class RunningGuest {
  readonly folder: string
  readonly agentConfig: string
  readonly hubConfig: string
  readonly agent: AgentOptions
  readonly hub: HubServerOptions
  readonly numbers: { disks: number; sectors: number }
  readonly volumes: string[]
  readonly #t: Test
  readonly #paths: string[]
  readonly #settings: Required<RunningSettings>
  #qemu: Qemu | undefined
  #starts = 0

  constructor(t: Test, settings: RunningSettings = {}) {
    this.#t = t
    const { disks = 2, sectors = 200 } = settings
    this.numbers = { disks, sectors }
    this.#settings = {
      ...{ way: 'cycles', format: 'qcow2', disks, sectors, size: guestDiskSize(this.numbers) },
      ...{ deadline: '3s', every: '200ms', memory: 64 * 1024 ** 2 },
      ...settings,
    }
    this.volumes = names.slice(0, disks)
    const { format, size, way, deadline, every, memory } = this.#settings
    this.folder = socketFolder(t)
    for (const name of ['hub', 'agent', 'run']) mkdirSync(join(this.folder, name))
    this.#paths = this.volumes.map(volume => join(this.folder, `${volume}.${format}`))
    for (const [disk, path] of this.#paths.entries()) {
      const raw = Buffer.alloc(size)
      if (disk === 0) guestSector(this.numbers).copy(raw)
      writeFileSync(`${path}.raw`, raw)
      execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', format, `${path}.raw`, path])
    }
    this.agentConfig = JSON.stringify({
      name: 'anna',
      hub: join(this.folder, 'h'),
      state: join(this.folder, 'agent'),
      run: join(this.folder, 'run'),
      buffer: { memory },
      groups: {
        web: {
          ...{ way, qmp: join(this.folder, 'qmp'), urgent: join(this.folder, 'urgent'), every, deadline },
          disks: Object.fromEntries(this.volumes.map(volume => [volume, { node: volume }])),
        },
      },
    })
    this.hubConfig = JSON.stringify({
      data: join(this.folder, 'hub'),
      listen: join(this.folder, 'h'),
      nbd: join(this.folder, 'n'),
    })
    const { tls: _, control: __, ...agent } = readAgentConfig(this.agentConfig, 'agent')
    const { tls: ___, control: ____, ...hub } = readHubConfig(this.hubConfig, 'hub')
    this.agent = agent
    this.hub = hub
  }

  get qemu(): Qemu {
    return this.#qemu!
  }

  /** Starts a QEMU, whose guest begins to count anew unless it does not run. @throws MissingRealPart */
  async start({ runs = true } = {}): Promise<void> {
    const { format, way } = this.#settings
    const blocks = this.volumes.flatMap((volume, index) => {
      const image = {
        driver: format,
        'node-name': way === 'child' ? `${volume}-image` : volume,
        file: { driver: 'file', filename: this.#paths[index] },
      }
      const quorum = {
        ...{ driver: 'quorum', 'node-name': volume, 'vote-threshold': 1, 'read-pattern': 'fifo' },
        children: [image],
      }
      return [
        ...['-blockdev', JSON.stringify(way === 'child' ? quorum : image)],
        ...['-device', `ide-hd,drive=${volume},id=dev-${volume},bus=ide.${index >> 1},unit=${index & 1}`],
      ]
    })
    this.#starts++
    const { qemu, refusal } = await startQemu([
      ...['-m', '16', '-debugcon', `file:${this.#console}`],
      ...['-qmp', `unix:${join(this.folder, 'qmp')},server=on,wait=off`],
      ...['-qmp', `unix:${join(this.folder, 'urgent')},server=on,wait=off`],
      ...blocks,
    ])
    if (qemu === undefined) throw new Error(refusal)
    this.#qemu = qemu
    this.#t.teardown(() => qemu.stop())
    if (runs) await this.run()
  }

  async run(): Promise<void> {
    await this.qemu.client.run(cont)
    await eventually('the guest writes', () => this.reported() > 0)
  }

  /** The number of the last write that the guest has reported since this start. */
  reported(): number {
    return lastReported(readFileSync(this.#console))
  }

  /** The guest's disks, of a QEMU that has ended. */
  contents(): Buffer[] {
    return this.#paths.map((path, index) => {
      const raw = join(this.folder, `raw${index}`)
      execFileSync('qemu-img', ['convert', '-f', this.#settings.format, '-O', 'raw', path, raw])
      return readFileSync(raw)
    })
  }

  /** Writes to a disk as the guest would, a QEMU that does not run or beside what the guest does. */
  async io(volume: string, command: string): Promise<void> {
    const complaint = await this.qemu.monitor(`qemu-io -d dev-${volume} "${command}"`)
    if (complaint !== '') throw new Error(complaint)
  }

  get #console(): string {
    return join(this.folder, `console${this.#starts}`)
  }
}

/** So many are looked at, evenly spread. */
const pointsAtMost = 20

/** An agent's only group. */
export const groupOf = (status: AgentStatus) => status.groups[0]!

export const statesOf = (status: AgentStatus) => groupOf(status).volumes.map(({ state }) => state)

/** Waits until all volumes are in a state. */
export const untilState = (agent: Agent, state: string) =>
  eventually(
    `it is ${state}`,
    () => statesOf(agent.status).every(one => one.state === state),
    () => JSON.stringify(agent.status),
  )

/** Holds what the hub offers against the guest: each point has the first so many of its writes. @returns of each how many */
export const offered = async (server: HubServer, guest: RunningGuest, to?: number): Promise<number[]> =>
  (await offeredPoints(server, guest, to)).map(({ writes }) => writes)

/** The same, each with its time. */
export async function offeredPoints(
  server: HubServer,
  guest: RunningGuest,
  to = Number.POSITIVE_INFINITY,
): Promise<{ time: number; writes: number }[]> {
  const { journal } = server.hub.groups.find(({ name }) => name === 'web')!
  const all: { time: number; writes: number }[] = []
  const points = [...journal.points({ every: 1 })].filter(point => point.position <= to)
  const step = Math.ceil(points.length / pointsAtMost)
  for (const { position, time } of points.filter((_, index) => (points.length - 1 - index) % step === 0)) {
    const view = await journal.view(position)
    try {
      const disks: Buffer[] = []
      for (const { number, size } of [...view.volumes].sort((one, other) => one.number - other.number))
        disks.push(Buffer.from(await view.read(number, 0, size)))
      all.push({ time, writes: writesIn(guest.numbers, disks) })
    } finally {
      view.close()
    }
  }
  return all
}

/** How much of a volume anything was written to after a position, in bytes. */
export function changedSince(server: HubServer, position: number, volume: number): number {
  const { journal } = server.hub.groups.find(({ name }) => name === 'web')!
  return [...journal.changedSince(position, volume)].reduce((sum, { length }) => sum + length, 0)
}

/** All states of the volumes that an agent passes through, but for those that only count on. */
export function states(agent: Agent): string[] {
  const seen: string[] = []
  agent.onChange(() => {
    for (const state of statesOf(agent.status)) {
      const text = `${state.state}${'reason' in state ? ` ${state.reason}` : ''}${'why' in state ? ` ${state.why}` : ''}`
      if (!seen.includes(text)) seen.push(text)
    }
  })
  return seen
}

export const openHub = (guest: RunningGuest) => HubServer.open(guest.hub)
export const openAgent = (guest: RunningGuest) => Agent.open(guest.agent)
