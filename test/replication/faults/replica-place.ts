import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectNbd } from 'xenlight/nbd'
import { cont, queryStatus, stop } from 'xenlight/qmp'
import type { AgentStatus, HubStatus } from 'xenlight/replication'
import { guestDiskSize, writesIn } from '../../guest/numbered-disks.js'
import { guestSector, lastReported, type NumberedGuest } from '../../guest/numbered-guest.js'
import { eventually } from '../../protocol-d/eventually.js'
import type { Network } from '../../protocol-d/network.js'
import { type Qemu, startQemu } from '../../real/qemu.js'
import type { Random } from '../../support/random.js'
import { askControl } from '../ask-control.js'
import { Served } from '../served.js'

export const group = 'web'
const mebibyte = 1024 * 1024

export type Way = 'inline' | 'cycles' | 'child'

/** A bug that is planted in one of the processes: the place of a module that changes the library. */
export interface Planted {
  agent?: string
  hub?: string
}

export interface ReplicaOptions {
  folder: string
  guest: NumberedGuest
  /** Of each disk, in bytes. */
  size: number
  way: Way
  link: Network
  random: Random
  /** The hub's data. */
  data: string
  /** What waits for the hub at the agent. */
  buffer: { memory: string; file: string }
  /** How long a sync of the hub's takes at most, in milliseconds. */
  syncAtMost: number
  planted?: Planted | undefined
}

/** How long a running QEMU's guest may wait for the hub. */
export const deadline = 2000

/** A guest that writes numbers to its disks, its agent, and a hub, each a process that may die. */
export class ReplicaPlace implements AsyncDisposable {
  readonly options: ReplicaOptions
  readonly hub: Served
  readonly agent: Served
  #qemu: Qemu | undefined
  #lives = 0
  /** Whether the guest is expected to go on. */
  isGuestUp = false

  constructor(options: ReplicaOptions) {
    const { folder, link, data, way, guest, buffer, syncAtMost, planted } = options
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
    const monitors = { qmp: join(folder, 'qmp'), urgent: join(folder, 'urgent') }
    const running = way === 'inline' ? {} : { way, ...monitors, every: '200ms', deadline: `${deadline}ms` }
    const agent = {
      ...{ name: 'anna', hub: link.connect, state: join(folder, 'state'), run: join(folder, 'run'), buffer },
      ...{ control: join(folder, 'agent.ctl'), groups: { [group]: { ...running, disks } } },
    }
    const [hubPrefix, agentPrefix] = link.prefixes
    const clock = 'preload/shifted-clock.js'
    const env = (who: 'agent' | 'hub') => ({ CLOCK_FILE: this.#clock(who), SYNC_AT_MOST: String(syncAtMost) })
    for (const who of ['agent', 'hub'] as const) this.shiftClock(who, 0)
    this.hub = new Served({
      ...{ name: 'rephub', prefix: hubPrefix, config: config('hub.json', hub), env: env('hub') },
      ...{ preload: [clock, 'preload/volatile-segments.js'], planted: planted?.hub },
    })
    this.agent = new Served({
      ...{ name: 'repagent', prefix: agentPrefix, config: config('agent.json', agent), env: env('agent') },
      ...{ preload: [clock], planted: planted?.agent },
    })
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
    for (let life = this.#lives; life > 0; life--) {
      const console = this.#console(life)
      const last = existsSync(console) ? lastReported(readFileSync(console)) : 0
      if (last > 0) return last
    }
    return 0
  }

  /** Makes a process's wall clock wrong, by so many milliseconds. */
  shiftClock(who: 'agent' | 'hub', by: number): void {
    writeFileSync(this.#clock(who), String(by))
  }

  /** Starts the guest, which goes on behind the last write that its disks have. */
  async startGuest(): Promise<void> {
    const { folder, way } = this.options
    const before = this.reported()
    this.#lives++
    const monitors = ['qmp', 'urgent'].flatMap(name => ['-qmp', `unix:${join(folder, name)},server=on,wait=off`])
    const { qemu, refusal } = await startQemu([
      ...['-m', '16', '-debugcon', `file:${this.#console(this.#lives)}`],
      ...(way === 'inline' ? [] : monitors),
      ...this.names.flatMap((name, disk) => this.#diskArguments(name, disk)),
    ])
    if (qemu === undefined) throw new Error(refusal)
    this.#qemu = qemu
    await qemu.client.run(cont)
    await eventually('the guest writes', () => this.reported() > before)
    this.isGuestUp = true
  }

  /** Kills the guest, and starts it again. @returns how many writes its disks had */
  async restartGuest(): Promise<number> {
    const { guest, folder, way } = this.options
    await this.killGuest()
    // what QEMU has sent may still be written
    if (way === 'inline') await this.#untilAgent('nobody has the disks', ({ clients }) => clients === 0)
    const writes = this.localWrites()
    const sector = guestSector(guest, writes)
    if (way === 'inline') {
      const path = join(folder, 'run', `${group}.disk0.sock`)
      const disk = await connectNbd({ path }, { export: `${group}/disk0` })
      await disk.write(0, sector)
      await disk.disconnect()
    } else {
      const file = openSync(this.image(0), 'r+')
      writeSync(file, sector, 0, 512, 0)
      closeSync(file)
    }
    await this.startGuest()
    return writes
  }

  /** How many writes the guest's own disks have. @throws Error where one that it was told of is missing */
  localWrites(): number {
    const reported = this.reported()
    const writes = this.writesIn(this.images())
    if (writes < reported || writes > reported + 1)
      throw new Error(`the guest has reported ${reported} writes, and its disks have ${writes}`)
    return writes
  }

  /** Lets a guest go on that QEMU has stopped because its disk was gone for too long. */
  async nudgeGuest(): Promise<void> {
    const qemu = this.#qemu
    if (qemu === undefined) return
    const { status } = await qemu.client.run(queryStatus)
    if (status === 'io-error') await qemu.client.run(cont)
  }

  /** What QEMU has printed, such as why it has aborted. */
  get guestSaid(): string {
    return this.#qemu?.printed() ?? ''
  }

  /** Freezes QEMU for a while. */
  async freezeGuest(milliseconds: number): Promise<void> {
    const { pid } = this.#qemu!
    this.isGuestUp = false
    process.kill(pid, 'SIGSTOP')
    await delay(milliseconds)
    process.kill(pid, 'SIGCONT')
    this.isGuestUp = true
  }

  /** The guest of a running QEMU writes nothing any more, and all that it wrote is in its images. */
  async stopGuest(): Promise<void> {
    this.isGuestUp = false
    // QEMU 7.2 may end where its nodes are asked for while it stops a guest beneath a backup
    await this.#untilDone('pause')
    await this.#qemu!.client.run(stop)
    await this.#untilDone('resume')
  }

  async killGuest(): Promise<void> {
    const qemu = this.#qemu
    this.#qemu = undefined
    this.isGuestUp = false
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

  /** Waits until the hub has a moment of the disks, and gets what comes after it. */
  async untilProtected(what: string): Promise<void> {
    await this.#untilAgent(what, isProtected)
  }

  /** Waits until the hub has all that the disks have, which are not written to any more. */
  async untilWhole(what: string): Promise<void> {
    await this.#untilAgent(what, status => isProtected(status) && status.queued === 0)
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

  /** The agent may still be starting. */
  #untilDone(command: 'pause' | 'resume'): Promise<void> {
    const isDone = () =>
      this.ask('agent', command, { group }).then(
        () => true,
        () => false,
      )
    return eventually(`${command} is done`, isDone)
  }

  async #untilAgent(what: string, isSo: (status: AgentStatus['groups'][number]) => boolean): Promise<void> {
    let last = ''
    await eventually(
      what,
      async () => {
        await this.nudgeGuest().catch(() => {})
        try {
          const status = await this.agentStatus()
          last = JSON.stringify(status)
          return isSo(status)
        } catch (error) {
          last = (error as Error).message
          return false
        }
      },
      () => `${last}; the agent said ${this.agent.said.slice(-2000)}; the hub said ${this.hub.said.slice(-2000)}`,
    )
  }

  #diskArguments(name: string, disk: number): string[] {
    const { folder, way } = this.options
    const server = { type: 'unix', path: join(folder, 'run', `${group}.${name}.sock`) }
    const raw = { driver: 'raw', file: { driver: 'file', filename: this.image(disk) } }
    const drivers = {
      inline: { driver: 'nbd', export: `${group}/${name}`, 'reconnect-delay': 60, server },
      cycles: raw,
      child: {
        ...{ driver: 'quorum', 'vote-threshold': 1, 'read-pattern': 'fifo' },
        children: [{ 'node-name': `d${disk}-image`, ...raw }],
      },
    }
    // in the order in which the BIOS counts them
    const bus = `ide.${Math.floor(disk / 2)},unit=${disk % 2}`
    const device = `ide-hd,drive=d${disk},id=v${disk},bus=${bus},werror=stop,rerror=stop`
    return ['-blockdev', JSON.stringify({ 'node-name': `d${disk}`, ...drivers[way] }), '-device', device]
  }

  #console(life: number): string {
    return join(this.options.folder, `console${life}`)
  }

  #clock(who: 'agent' | 'hub'): string {
    return join(this.options.folder, `${who}.clock`)
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

const isProtected = ({ volumes }: AgentStatus['groups'][number]): boolean =>
  volumes.every(({ state }) => state.state === 'protected')

/** Waits a while, at most so many milliseconds. */
export const aWhile = (random: Random, most: number): Promise<void> => delay(random.int(most))
