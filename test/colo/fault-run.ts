import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import {
  type ColoPair,
  type ConnectedSide,
  connectSide,
  failOver,
  type PairOptions,
  pairStatus,
  protectPair,
  type Side,
} from 'xenlight/colo'
import { cont, queryStatus } from 'xenlight/qmp'
import { forms } from '../dm-args/real-qemu/forms.js'
import type { Random } from '../support/random.js'
import { contents, type ImageFormat, onEach, pairOptions, type QemuPair, type QemuSide, qemuPair } from './colo-pair.js'
import { block, blocks, FaultModel } from './fault-model.js'
import { type Fault, faults } from './faults.js'
import { Mortality } from './mortal-side.js'
import { type Planted, planted } from './planted-faults.js'
import { type TcpProxy, tcpProxy } from './tcp-proxy.js'

/** Nothing may take longer, in milliseconds: the time limits below, with room for a busy machine. */
const longest = 20_000

/** A run's state, which its fault works on. */
export class FaultRun {
  readonly model = new FaultModel()
  readonly random: Random
  readonly what: string
  readonly t: Test
  qemus!: QemuPair
  proxy!: TcpProxy
  pair: ColoPair | undefined
  epoch = 0
  #sides: ConnectedSide[] = []

  readonly #plant: Planted | undefined

  constructor(t: Test, random: Random, what: string, plant?: Planted) {
    this.t = t
    this.#plant = plant
    this.random = random
    this.what = what
  }

  get disks(): string[] {
    return this.qemus.names
  }

  /** Fails when it takes longer than its time limits allow. */
  async inTime<Result>(work: Promise<Result>): Promise<Result> {
    const timer = new AbortController()
    const late = delay(longest, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`${this.what}: not done within ${longest} ms`)
    })
    late.catch(() => {})
    try {
      return await Promise.race([work, late])
    } finally {
      timer.abort()
    }
  }

  /** A process's own connection to a side. */
  async connect({ qemu }: QemuSide): Promise<Side> {
    const { directory, records } = this.qemus
    const path = join(directory, `qmp-${this.qemus.monitorOf(qemu)}`)
    const side = await connectSide({ qmp: { path }, records }, { timeout: 5000 })
    this.#sides.push(side)
    return this.#plant === undefined ? side : { ...side, ...planted(side, this.#plant) }
  }

  /** The process is gone, and its connections with it. */
  async disconnect(): Promise<void> {
    await this.pair?.[Symbol.asyncDispose]()
    this.pair = undefined
    await Promise.all(this.#sides.splice(0).map(side => side[Symbol.asyncDispose]()))
  }

  /** What a new process protects these with. */
  async options(primary: QemuSide, secondary: QemuSide): Promise<PairOptions> {
    const sides = { primary: await this.connect(primary), secondary: await this.connect(secondary) }
    const { host, port } = this.qemus
    const heartbeat = { every: 50, timeout: 500, stall: 1000 }
    const options = pairOptions(this.qemus, primary, secondary, this.epoch)
    return { ...options, ...sides, port: this.proxy.port, listen: { host, port }, heartbeat, timeout: 1500 }
  }

  async protect(primary: QemuSide, secondary: QemuSide, more: Partial<PairOptions> = {}): Promise<ColoPair> {
    this.epoch++
    this.pair = await this.inTime(protectPair({ ...(await this.options(primary, secondary)), ...more }))
    this.t.strictSame(this.kinds, ['protected'], `${this.what}: protected`)
    return this.pair
  }

  get kinds(): string[] {
    return [...new Set([...(this.pair?.states.values() ?? [])].map(({ kind }) => kind))]
  }

  async checkpoint(): Promise<void> {
    await this.inTime(this.pair!.checkpoint())
    this.model.committed()
  }

  async write(side: QemuSide): Promise<void> {
    const [at, byte] = [this.random.int(blocks), 1 + this.random.int(255)]
    this.model.primary[at] = byte
    await this.inTime(onEach(side, () => `write -P ${byte} ${at * block} ${block}`))
  }

  async writeOwn(side: QemuSide): Promise<void> {
    const [at, byte] = [this.random.int(blocks), 1 + this.random.int(255)]
    this.model.own.set(at, byte)
    await onEach(side, () => `write -P ${byte} ${at * block} ${block}`)
  }

  async work(primary: QemuSide, secondary: QemuSide): Promise<void> {
    for (let left = this.random.int(8); left > 0; left--) {
      const step = this.random.int(4)
      if (step === 0) await this.checkpoint()
      else if (step === 1) await this.writeOwn(secondary)
      else await this.write(primary)
    }
  }

  /** A new process has a side take over, after one that was killed maybe. */
  async takeOver(
    side: QemuSide,
    { force, mortal = this.random.chance(0.3) }: { force?: string; mortal?: boolean } = {},
  ) {
    await this.disconnect()
    this.epoch++
    const { disks, epoch } = this
    if (mortal) {
      const mortality = new Mortality(1 + this.random.int(60), this.random.chance(0.5))
      const secondary = mortality.side(await this.connect(side))
      await this.inTime(failOver({ secondary, disks, epoch, force, timeout: 10_000 }).catch(() => {}))
      await this.disconnect()
    }
    await this.inTime(failOver({ secondary: await this.connect(side), disks, epoch, force, timeout: 10_000 }))
    await this.disconnect()
  }

  async status(primary: QemuSide, secondary: QemuSide) {
    await this.disconnect()
    const side = (side: QemuSide) => this.connect(side).catch(() => undefined)
    const sides = { primary: await side(primary), secondary: await side(secondary) }
    const status = await this.inTime(pairStatus({ ...sides, disks: this.disks, timeout: 1500 }))
    await this.disconnect()
    return status
  }

  /** The disks of a side hold one of these, and all of them the same one. */
  async same(side: QemuSide, allowed: readonly (readonly number[])[]): Promise<readonly number[]> {
    await side.qemu.quit()
    const found = side.disks.map(disk => {
      const bytes = contents(disk)
      return allowed.findIndex(each =>
        each.every((byte, at) => bytes.subarray(at * block, (at + 1) * block).every(one => one === byte)),
      )
    })
    const isSame = found[0]! >= 0 && new Set(found).size === 1
    const first = contents(side.disks[0]!)
    const holds = Array.from({ length: blocks }, (_, at) => first[at * block])
    this.t.ok(isSame, `${this.what}: it holds ${found.join(' ')}`, isSame ? {} : { holds, allowed })
    return allowed[Math.max(0, found[0]!)]!
  }
}

/** One pair of QEMUs with random work, a fault, and all that must be so afterwards. */
export async function faultRun(
  t: Test,
  random: Random,
  name: string,
  { plant, only }: { plant?: Planted; only?: string } = {},
): Promise<void> {
  const form = forms[random.pick(['drive', 'blockdev'] as const)]
  const vdevs = random.pick([['hda'], ['sda', 'hdb'], ['hda', 'hdb', 'sda', 'sdb']])
  const format = random.pick<ImageFormat>(['raw', 'qcow2'])
  const driver = random.pick(['replication', 'replication', 'nbd'] as const)
  const fault: Fault = faults[only ?? random.pick(Object.keys(faults))]!
  const run = new FaultRun(t, random, `${name}: ${fault.name} (${vdevs.join(' ')}, ${format}, ${driver})`, plant)
  const settings = fault.settings?.(t, vdevs.length)
  t.teardown(() => t.passing() || t.comment(`${run.what}\n${run.qemus.printed()}`))
  run.qemus = await qemuPair(t, form, vdevs, format, { ...settings, monitors: true })
  const { primary, secondary, host, port } = run.qemus
  run.proxy = await tcpProxy(host, { host, port })
  t.teardown(() => run.proxy[Symbol.dispose]())
  t.teardown(() => run.disconnect())
  if (random.chance(0.5)) await primary.qemu.client.run(cont)
  const more = { driver, ...(random.chance(0.7) && { equal: true }) }
  await fault.before?.(run, primary, secondary, more)
  if (run.pair === undefined) await run.protect(primary, secondary, more)
  await run.work(primary, secondary)
  const left = await fault.happen(run, primary, secondary)
  await secondProtection(run, left, more)
}

/** What is left: a primary that goes on, what it may hold, and one that can follow it. */
export interface Left {
  primary: QemuSide
  follower: QemuSide
}

/** Afterwards a second protection succeeds, takes a checkpoint, and is taken over. */
async function secondProtection(run: FaultRun, { primary, follower }: Left, more: Partial<PairOptions>): Promise<void> {
  const { running } = await primary.qemu.client.run(queryStatus)
  await run.protect(primary, follower, { driver: more.driver })
  run.t.same((await primary.qemu.client.run(queryStatus)).running, running, `${run.what}: the guest is as it was`)
  run.model.own.clear()
  await run.write(primary)
  await run.checkpoint()
  await run.writeOwn(follower)
  await run.write(primary)
  await primary.qemu.stop()
  await run.takeOver(follower)
  await run.same(follower, [run.model.taken])
}
