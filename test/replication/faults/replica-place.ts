import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectNbd } from 'xenlight/nbd'
import { cont, queryStatus } from 'xenlight/qmp'
import type { AgentStatus, HubStatus } from 'xenlight/replication'
import {
  guestDiskSize,
  guestSector,
  lastReported,
  type NumberedGuest,
  writesIn,
} from '../../../bench/numbered-guest.js'
import { eventually } from '../../protocol-d/eventually.js'
import type { Network } from '../../protocol-d/network.js'
import { type Qemu, startQemu } from '../../real/qemu.js'
import type { Random } from '../../support/random.js'
import { askControl } from '../ask-control.js'
import { Served } from '../served.js'

export const group = 'web'
const mebibyte = 1024 * 1024

export interface ReplicaOptions {
  folder: string
  guest: NumberedGuest
  /** Of each disk, in bytes. */
  size: number
  way: 'inline' | 'cycles'
  link: Network
  random: Random
  /** The hub's data. */
  data: string
}

/** A guest that writes numbers to its disks, its agent, and a hub, each a process that may die. */
export class ReplicaPlace implements AsyncDisposable {
  readonly options: ReplicaOptions
  readonly hub: Served
  readonly agent: Served
  qemu: Qemu | undefined

  constructor(options: ReplicaOptions) {
    const { folder, link, data, way, guest } = options
    this.options = options
    for (const name of ['state', 'run']) mkdirSync(join(folder, name))
    mkdirSync(data, { recursive: true })
    const names = this.names
    const disks = Object.fromEntries(
      names.map((name, disk) => [name, way === 'inline' ? { image: this.image(disk) } : { node: `d${disk}` }]),
    )
    const config = (name: string, value: object) => {
      const path = join(folder, name)
      writeFileSync(path, JSON.stringify(value))
      return path
    }
    const hub = { data, listen: link.listen, nbd: join(folder, 'n'), control: join(folder, 'hub.ctl') }
    const [hubPrefix, agentPrefix] = link.prefixes
    this.hub = new Served(hubPrefix, 'rephub', config('hub.json', hub))
    const running = way === 'inline' ? {} : { way, qmp: join(folder, 'qmp'), every: '200ms', deadline: '2s' }
    const agent = {
      ...{ name: 'anna', hub: link.connect, state: join(folder, 'state'), run: join(folder, 'run') },
      ...{ control: join(folder, 'agent.ctl'), groups: { [group]: { ...running, disks } } },
      buffer: { memory: '1M', file: '4M' },
    }
    this.agent = new Served(agentPrefix, 'repagent', config('agent.json', agent))
    this.#makeDisks(guest)
  }

  get names(): string[] {
    return Array.from({ length: this.options.guest.disks }, (_, disk) => `disk${disk}`)
  }

  image(disk: number): string {
    return join(this.options.folder, `disk${disk}.img`)
  }

  images(): Buffer[] {
    return this.names.map((_, disk) => readFileSync(this.image(disk)))
  }

  /** The number of the last write that the guest has reported, of all its lives. */
  reported(): number {
    const console = join(this.options.folder, 'console')
    return existsSync(console) ? lastReported(readFileSync(console)) : 0
  }

  async startGuest(): Promise<void> {
    const { folder, way } = this.options
    const disks = this.names.flatMap((name, disk) => {
      const file = { driver: 'file', filename: this.image(disk) }
      const path = join(folder, 'run', `${group}.${name}.sock`)
      const server = { type: 'unix', path }
      const nbd = { driver: 'nbd', export: `${group}/${name}`, 'reconnect-delay': 60, server }
      const node = { 'node-name': `d${disk}`, ...(way === 'inline' ? nbd : { driver: 'raw', file }) }
      // in the order in which the BIOS counts them
      const bus = `ide.${Math.floor(disk / 2)},unit=${disk % 2}`
      const device = `ide-hd,drive=d${disk},id=v${disk},bus=${bus},werror=stop,rerror=stop`
      return ['-blockdev', JSON.stringify(node), '-device', device]
    })
    const monitor = way === 'inline' ? [] : ['-qmp', `unix:${join(folder, 'qmp')},server=on,wait=off`]
    const console = `file:${join(folder, 'console')}`
    const { qemu, refusal } = await startQemu(['-m', '16', '-debugcon', console, ...monitor, ...disks])
    if (qemu === undefined) throw new Error(refusal)
    this.qemu = qemu
    await qemu.client.run(cont)
    await eventually('the guest writes', () => this.reported() > 0)
  }

  /** Lets a guest go on that QEMU has stopped because its disk was gone for too long. */
  async nudgeGuest(): Promise<void> {
    const { qemu } = this
    if (qemu === undefined) return
    const { status } = await qemu.client.run(queryStatus)
    if (status === 'io-error') await qemu.client.run(cont)
  }

  async killGuest(): Promise<void> {
    const { qemu } = this
    this.qemu = undefined
    await qemu?.stop()
  }

  ask<Result>(who: 'agent' | 'hub', execute: string, given?: object): Promise<Result> {
    return askControl(join(this.options.folder, `${who}.ctl`), who, execute, given)
  }

  async agentStatus(): Promise<AgentStatus['groups'][number]> {
    const { groups } = await this.ask<AgentStatus>('agent', 'status')
    return groups[0]!
  }

  async hubStatus(): Promise<HubStatus['groups'][number] | undefined> {
    const groups = await this.ask<HubStatus['groups']>('hub', 'status')
    return groups[0]
  }

  /** Waits until the hub has all that the disks have. */
  async untilWhole(what: string): Promise<void> {
    let last = ''
    await eventually(
      what,
      async () => {
        await this.nudgeGuest().catch(() => {})
        try {
          const status = await this.agentStatus()
          last = JSON.stringify(status)
          return status.volumes.every(({ state }) => state.state === 'protected')
        } catch (error) {
          last = (error as Error).message
          return false
        }
      },
      () => `${last}; the agent said ${this.agent.said.slice(-2000)}; the hub said ${this.hub.said.slice(-2000)}`,
    )
  }

  /** What the disks of a test are, as of a moment. */
  async imagesAt(at: object, branch: string): Promise<Buffer[]> {
    await this.ask('hub', 'test', { group, at, branch })
    try {
      const images: Buffer[] = []
      for (const name of this.names) {
        const disk = await connectNbd(
          { path: join(this.options.folder, 'n') },
          { export: `${group}/${branch}/${name}` },
        )
        images.push(Buffer.from(await disk.read(0, disk.size)))
        await disk.disconnect()
      }
      return images
    } finally {
      await this.ask('hub', 'discard', { group, branch })
    }
  }

  /** How many of the guest's writes some disks have. @throws Error where they are no moment */
  writesIn(images: readonly Buffer[]): number {
    return writesIn(this.options.guest, images)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killGuest()
    for (const one of [this.agent, this.hub]) {
      one.signal('SIGCONT')
      await one.kill()
    }
  }

  #makeDisks(guest: NumberedGuest): void {
    const { size, random } = this.options
    const first = guestDiskSize(guest)
    for (const [disk] of this.names.entries()) {
      const file = openSync(this.image(disk), 'wx')
      writeSync(file, disk === 0 ? guestSector(guest) : Buffer.alloc(512), 0, 512, 0)
      // what no guest touches is to stay, and is not to be sent again
      for (let at = Math.ceil(first / mebibyte) * mebibyte; at < size; at += mebibyte)
        writeSync(file, Buffer.alloc(mebibyte, random.int(256)), 0, mebibyte, at)
      closeSync(file)
    }
  }
}

/** Waits a while, at most so many milliseconds. */
export const aWhile = (random: Random, most: number): Promise<void> => delay(random.int(most))
