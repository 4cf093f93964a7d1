import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Network, namespaceNetwork, proxyNetwork } from '../../protocol-d/network.js'
import { Teardowns } from '../../protocol-d/teardowns.js'
import type { Random } from '../../support/random.js'
import { aWhile, group, ReplicaPlace } from './replica-place.js'

const mebibyte = 1024 * 1024
/** How long the guest may stand still while its agent runs, in milliseconds: the machine may be busy with other tests. */
const longestPause = 3000
/** How many points of the history are looked at. */
const pointsLookedAt = 5

export type Way = 'inline' | 'cycles'

export interface ReplicaReport {
  way: Way
  disks: number
  network: string
  faults: readonly string[]
  end: string
  /** How many writes the guest had made, and how many points were looked at. */
  writes: number
  points: number
  /** The longest time that the guest stood still while its agent ran, in milliseconds. */
  pause: number
}

/** What happens to one of the parts; afterwards all is well again, but for what has to be caught up with. */
type Fault = (run: Run) => Promise<void>

/** What a run knows. */
class Run {
  readonly place: ReplicaPlace
  readonly random: Random
  readonly link: Network
  /** Named checkpoints: how many writes were reported before it was asked for, and when it was there. */
  readonly named = new Map<string, { least: number; most: number }>()
  /** How many writes the hub has for sure, as the agent said. */
  confirmed = 0
  pause = 0
  #isAgentDown = 0
  #isOver = false
  readonly #watching: Promise<void>
  readonly #asking: Promise<void>

  constructor(place: ReplicaPlace, link: Network, random: Random) {
    this.place = place
    this.link = link
    this.random = random
    this.#watching = this.#watch()
    this.#asking = this.#ask()
  }

  /** The guest may stand still while this is done. */
  async withoutAgent(work: () => Promise<void>): Promise<void> {
    this.#isAgentDown++
    try {
      await work()
      // QEMU tries to connect again after 1, 2, 4 seconds
      const before = this.place.reported()
      for (let left = 1000; left > 0 && this.place.reported() === before; left--) {
        await delay(50)
        if (left % 10 === 0) await this.place.nudgeGuest().catch(() => {})
      }
    } finally {
      this.#isAgentDown--
    }
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all([this.#watching, this.#asking])
  }

  /** Watches that the guest goes on. */
  async #watch(): Promise<void> {
    let before = this.place.reported()
    let since = performance.now()
    while (!this.#isOver) {
      await delay(20)
      const now = this.place.reported()
      if (now !== before || this.#isAgentDown > 0 || this.place.qemu === undefined) {
        before = now
        since = performance.now()
      } else this.pause = Math.max(this.pause, performance.now() - since)
    }
  }

  /** Asks for checkpoints, and what the agent says. */
  async #ask(): Promise<void> {
    const { place } = this
    for (let count = 0; !this.#isOver; count++) {
      await aWhile(this.random, 200)
      if (this.#isAgentDown > 0 || place.qemu === undefined) continue
      const least = place.reported()
      try {
        if (count % 2 === 0) {
          const name = `p${count}`
          await place.ask('agent', 'checkpoint', { group, name })
          this.named.set(name, { least, most: place.reported() + 1 })
        } else {
          const { queued, volumes } = await place.agentStatus()
          const isWhole = queued === 0 && volumes.every(({ state }) => state.state === 'protected')
          if (isWhole && place.options.way === 'inline') this.confirmed = Math.max(this.confirmed, least)
        }
      } catch {
        // it is gone, or the hub is: what it would have said is not known
      }
    }
  }
}

const faults: Readonly<Record<string, Fault>> = {
  async 'hub killed'({ place, random }) {
    await place.hub.kill()
    await aWhile(random, 800)
    place.hub.start()
  },
  async 'hub killed in the middle of a record'({ place, random }) {
    await place.hub.kill()
    tear(join(place.options.data, 'groups', group), random)
    place.hub.start()
  },
  async 'hub frozen'({ place, random }) {
    place.hub.signal('SIGSTOP')
    await aWhile(random, 1500)
    place.hub.signal('SIGCONT')
  },
  async 'agent killed'(run) {
    await run.withoutAgent(async () => {
      await run.place.agent.kill()
      await aWhile(run.random, 500)
      run.place.agent.start()
    })
  },
  async 'agent frozen'(run) {
    await run.withoutAgent(async () => {
      run.place.agent.signal('SIGSTOP')
      await aWhile(run.random, 1000)
      run.place.agent.signal('SIGCONT')
    })
  },
  async 'agent and hub killed'(run) {
    await run.withoutAgent(async () => {
      await Promise.all([run.place.agent.kill(), run.place.hub.kill()])
      run.place.hub.start()
      run.place.agent.start()
    })
  },
  async 'link cut'({ link, random }) {
    await link.cut()
    await aWhile(random, 800)
    await link.resume()
  },
  async 'link silent'({ link, random }) {
    await link.stall()
    await aWhile(random, 1500)
    await link.resume()
  },
  async 'disk of the hub full'({ place, random }) {
    const filler = join(place.options.data, 'filler')
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(256 * 1024))
    } catch {
      // full
    }
    await aWhile(random, 1000)
    rmSync(filler)
  },
}

/** Half a record behind the newest segment's last one, as a crash leaves it. */
function tear(folder: string, random: Random): void {
  const segments = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.seg'))
  const newest = segments.sort().at(-1)
  if (newest !== undefined) appendFileSync(join(folder, newest), Buffer.alloc(1 + random.int(5000), random.int(256)))
}

const isRoot = process.geteuid?.() === 0

/**
 * A guest that writes to its disks by turns, protected; parts of that die, freeze, and are cut off, at random. In the end no write that the guest
 * was told of is missing on its disks; the hub has the same; and each moment that it offers is one that was.
 *
 * @throws Error where anything is not so
 */
export async function replicaRun(random: Random, way: Way): Promise<ReplicaReport> {
  const folder = mkdtempSync(join(tmpdir(), 'replica-'))
  await using stack = new Teardowns()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const link = stack.use(
    await (random.chance(0.3) && isRoot
      ? namespaceNetwork()
      : proxyNetwork(random.chance(0.3) ? 1 + random.int(10) : 0)),
  )
  const data = join(folder, 'data')
  const isSmall = isRoot && random.chance(0.4)
  if (isSmall) {
    mkdirSync(data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'small', data])
    stack.defer(() => execFileSync('umount', ['--lazy', data]))
  }
  const guest = { disks: 1 + random.int(3), sectors: 100 + random.int(900) }
  const size = (4 + random.int(8)) * mebibyte
  const place = stack.use(new ReplicaPlace({ folder, guest, size, way, link, random, data }))
  place.hub.start()
  await link.begin()
  if (way === 'inline') {
    place.agent.start()
    await place.untilWhole('the disks are protected').catch(failed(place))
    await place.startGuest()
  } else {
    await place.startGuest()
    place.agent.start()
    await place.untilWhole('the disks are protected').catch(failed(place))
  }
  const run = new Run(place, link, random)
  const done: string[] = []
  const kinds = Object.keys(faults).filter(name => isSmall || name !== 'disk of the hub full')
  for (let left = 2 + random.int(4); left > 0; left--) {
    await aWhile(random, 500)
    const name = random.pick(kinds)
    done.push(name)
    await faults[name]!(run)
  }
  await aWhile(random, 500)
  const end = random.pick(['guest killed', 'guest and agent killed'] as const)
  try {
    await endRun(run, end)
    return await judge(run, { faults: done, end })
  } catch (error) {
    throw new Error(`${(error as Error).message}: after ${done.join(', ')}, ${end}`, { cause: error })
  }
}

async function endRun(run: Run, end: 'guest killed' | 'guest and agent killed'): Promise<void> {
  const { place } = run
  if (end === 'guest killed') {
    await place.killGuest()
    await run.end()
    return
  }
  const { confirmed } = run
  await Promise.all([place.killGuest(), place.agent.kill()])
  await run.end()
  // the hub may still be starting, or writing what it has received
  const images = await insisting(() => place.imagesAt({ newest: true }, 'disaster'))
  const writes = of('the hub after the disaster', () => place.writesIn(images))
  if (writes < confirmed)
    throw new Error(`the hub has ${writes} writes after the disaster, of ${confirmed} that were confirmed`)
  place.agent.start()
}

async function judge(run: Run, { faults: done, end }: Pick<ReplicaReport, 'faults' | 'end'>): Promise<ReplicaReport> {
  const { place, random, link } = run
  const { way, guest } = place.options
  // a write that was on its way when QEMU died may still come to be
  if (way === 'inline') await place.untilWhole('the hub has all').catch(failed(place))
  const reported = place.reported()
  const local = place.images()
  const writes = of("the guest's disks", () => place.writesIn(local))
  if (writes < reported || writes > reported + 1)
    throw new Error(`the guest has reported ${reported} writes, and its disks have ${writes}`)
  let points = 0
  if (way === 'inline') {
    const newest = await place.imagesAt({ newest: true }, 'newest')
    for (const [disk, image] of newest.entries())
      if (!image.equals(local[disk]!))
        throw new Error(`the hub's disk ${disk} is not the guest's: ${difference(image, local[disk]!)}`)
  }
  const history = (await insisting(() => place.hubStatus()))?.history ?? []
  const times = history
    .flatMap(({ from, to }) =>
      Array.from({ length: 2 }, () => from.time + random.int(Math.max(1, to.time - from.time))),
    )
    .sort((one, other) => one - other)
  let before = 0
  for (const time of times.filter(() => random.chance(pointsLookedAt / Math.max(pointsLookedAt, times.length)))) {
    const images = await place.imagesAt({ time }, `at${points}`)
    const found = of(`as of ${time}`, () => place.writesIn(images))
    if (found < before || found > writes)
      throw new Error(`as of ${time} there are ${found} writes, after ${before} before, of ${writes}`)
    before = found
    points++
  }
  for (const [name, { least, most }] of [...run.named].slice(-pointsLookedAt)) {
    const images = await place.imagesAt({ name }, name)
    const found = of(`checkpoint ${name}`, () => place.writesIn(images))
    if (found < least || found > most)
      throw new Error(`checkpoint ${name} has ${found} writes, and is of ${least} to ${most}`)
    points++
  }
  if (run.pause > longestPause) throw new Error(`the guest stood still for ${run.pause} ms`)
  return {
    way,
    disks: guest.disks,
    network: link.what,
    faults: done,
    end,
    writes,
    points,
    pause: Math.round(run.pause),
  }
}

/** Says of what an error is. */
function of<Result>(what: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
  }
}

/** The first sectors that differ, and the numbers in them. */
function difference(theirs: Buffer, ours: Buffer): string {
  const found: string[] = []
  for (let at = 0; at < ours.length && found.length < 10; at += 512)
    if (!theirs.subarray(at, at + 512).equals(ours.subarray(at, at + 512)))
      found.push(`sector ${at / 512} has ${theirs.readUInt32LE(at)}, not ${ours.readUInt32LE(at)}`)
  return found.join(', ')
}

/** Until it succeeds, for half a minute. */
async function insisting<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const end = performance.now() + 30_000; ; await delay(50))
    try {
      return await work()
    } catch (error) {
      if (performance.now() > end) throw error
    }
}

const failed = (place: ReplicaPlace) => (error: Error) => {
  writeFileSync(join(tmpdir(), 'replica-failed.log'), `${place.agent.said}\n---\n${place.hub.said}\n`)
  throw error
}
