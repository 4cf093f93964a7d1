import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Form, forms } from '../../dm-args/real-qemu/forms.js'
import { createRandom, type Random } from '../../support/random.js'
import { contents, type ImageFormat, onEach, type QemuPair, type QemuSide, qemuPair } from '../colo-pair.js'
import { block, blocks, FaultModel } from '../fault-model.js'
import { type TcpProxy, tcpProxy } from '../tcp-proxy.js'
import { Connections, type Way, type WayName, ways } from './way.js'

/** What a run came to: what was lost, and whether the disks were refused before anything could be. */
export interface Outcome {
  losses: readonly string[]
  refused: boolean
}

export const refused: Outcome = { losses: [], refused: true }
export const lost = (...losses: string[]): Outcome => ({ losses, refused: false })

export interface TakeOver {
  /** Whether the overlays are to be committed, where libxl's failover is not what is looked at. */
  commit?: boolean
  /** When the primary, which lives, writes on. */
  writes?: 'during' | 'afterwards'
}

/** QEMU 7.2.22 waits in nbd-server-stop, for good, for whoever is connecting just then; its guest stands still with it. */
const hang = "the secondary's QEMU hangs in nbd-server-stop"

/** How long a guest may wait for its disk, in milliseconds. */
const longest = 6000

/** A pair, the way that keeps it, and what must be on its disks. */
export class TableRun {
  readonly model = new FaultModel()
  readonly random: Random
  readonly pair: QemuPair
  readonly link: TcpProxy
  readonly way: Way
  /** What the primary wrote since its last checkpoint, and after the take-over began. */
  readonly #open = new Set<number>()
  readonly #late = new Set<number>()

  constructor(random: Random, pair: QemuPair, link: TcpProxy, way: Way) {
    this.random = random
    this.pair = pair
    this.link = link
    this.way = way
  }

  async write(how: 'write' | 'aio_write' = 'write', isLate = false): Promise<void> {
    const [at, byte] = this.#next()
    this.model.primary[at] = byte
    const written = isLate ? this.#late : this.#open
    written.add(byte)
    await onEach(this.pair.primary, () => `${how} -P ${byte} ${at * block} ${block}`)
  }

  async writeOwn(): Promise<void> {
    const [at, byte] = this.#next()
    this.model.own.set(at, byte)
    await onEach(this.pair.secondary, () => `write -P ${byte} ${at * block} ${block}`)
  }

  #next(): [at: number, byte: number] {
    return [this.random.int(blocks), 1 + this.random.int(255)]
  }

  committed(): void {
    this.model.committed()
    this.#open.clear()
  }

  /** Some work, at the end of which there is an open epoch. */
  async work(): Promise<void> {
    for (let left = 2 + this.random.int(6); left > 0; left--) {
      const step = this.random.int(4)
      if (step === 1) await this.writeOwn()
      else if (step > 1) await this.write()
      else if (await this.way.checkpoint()) this.committed()
    }
    await this.write()
    await this.writeOwn()
  }

  /** Whether the secondary's guest does not read its own last write any more: it is at the checkpoint. For when its QEMU has ended. */
  async tookCheckpoint(): Promise<() => boolean> {
    const { secondary } = this.pair
    const [at, byte] = [...this.model.own].at(-1)!
    await onEach(secondary, () => `read -P ${byte} ${at * block} ${block}`)
    return () => secondary.qemu.printed().includes('Pattern verification failed')
  }

  /** Whether it is done while a guest would still wait for it. */
  async inTime(work: Promise<unknown>): Promise<boolean> {
    const given = new AbortController()
    const late = delay(longest, false, { signal: given.signal })
    late.catch(() => {})
    const isDone = await Promise.race([work.then(() => true), late])
    given.abort()
    return isDone
  }

  /** The secondary takes over; what its disks hold then, against what they must. */
  async takeOver(wanted: () => number[], { commit, writes }: TakeOver = {}): Promise<Outcome> {
    const { secondary } = this.pair
    const taking = this.inTime(this.way.takeOver(secondary, { commit: commit ?? false }))
    if (writes !== 'during') await taking
    for (let left = writes === undefined ? 0 : 3; left > 0; left--) await this.write('write', true)
    if (!(await taking) || !(await this.inTime(secondary.qemu.client.execute('query-status')))) return lost(hang)
    return this.compare(secondary, wanted)
  }

  /** How a side's disks differ from what they must hold, which is asked for once its QEMU has ended. */
  async compare({ qemu, disks }: QemuSide, wanted: () => number[]): Promise<Outcome> {
    if (!(await this.inTime(qemu.quit()))) return lost('its QEMU does not end')
    const bytes = wanted()
    return lost(...new Set(disks.flatMap(disk => this.#losses(contents(disk), bytes))))
  }

  #losses(bytes: Buffer, wanted: number[]): string[] {
    return wanted.flatMap((byte, at) => {
      const part = bytes.subarray(at * block, (at + 1) * block)
      if (part.every(one => one === byte)) return []
      const [found] = part as unknown as [number]
      const isOwn = this.model.own.get(at) === byte
      if (this.#late.has(found)) return ['what the old primary wrote later is in the disk']
      if (this.#open.has(found)) return ["the primary's open epoch is in the disk"]
      return [isOwn ? "the secondary's own writes are gone" : 'a checkpoint that was taken for done is not there']
    })
  }
}

/** What a fault has to have; the rest is left to chance. */
export interface FaultDisks {
  /** How the QEMUs get their disks, where that is the fault. */
  form?: Form
  vdevs?: string[]
}

/** A disk set of chance, the same for both ways. */
export async function tableRun(t: Test, name: WayName, seed: number, disks: FaultDisks): Promise<TableRun> {
  const random = createRandom(seed)
  const chance = random.pick([['hda'], ['sda', 'hdb']])
  const { form = forms.drive, vdevs = chance } = disks
  const format = random.pick<ImageFormat>(['raw', 'qcow2'])
  const pair = await qemuPair(t, form, vdevs, format, { monitors: true })
  const { host, port } = pair
  const link = await tcpProxy(host, { host, port })
  t.teardown(() => link[Symbol.dispose]())
  const connections = new Connections(pair)
  t.teardown(() => connections[Symbol.asyncDispose]())
  return new TableRun(random, pair, link, ways[name](pair, link, connections))
}
