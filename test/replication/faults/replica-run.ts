import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { guestDiskSize } from '../../guest/numbered-disks.js'
import { namespaceNetwork, proxyNetwork } from '../../protocol-d/network.js'
import { Teardowns } from '../../protocol-d/teardowns.js'
import type { Random } from '../../support/random.js'
import { checkResent } from './check-resent.js'
import { type FaultName, faults, faultsOf } from './faults.js'
import { traceJournal } from './journal-trace.js'
import { aWhile, deadline, group, type Planted, ReplicaPlace, type Way } from './replica-place.js'
import { WatchedRun } from './watched-run.js'

const mebibyte = 1024 * 1024
/** How late a guest may go on because the machine is busy with other things, in milliseconds. */
const lateAtMost = 3000
/** How many points of the history are looked at, of each kind. */
const pointsLookedAt = 5

export interface RunOptions {
  way: Way
  planted?: Planted | undefined
  /** Those that may happen. All by default. */
  only?: readonly FaultName[] | undefined
}

export interface ReplicaReport {
  way: Way
  disks: number
  network: string
  faults: readonly string[]
  end: string
  /** How many writes the guest had made, how many points were looked at as a hub offers them, and how many moments in its journal. */
  writes: number
  points: number
  moments: number
  /** How often a recovery point that the agent told was held against what the hub had. */
  held: number
  /** The longest time that the guest stood still while its agent ran, in milliseconds. */
  pause: number
  /** How much was sent to make the replica equal again, and how much at most had become different, in bytes. */
  resent: number
  dirty: number
}

type End = 'guest stopped' | 'guest killed' | 'guest and agent killed' | 'all killed'
const ends = {
  inline: ['guest killed', 'guest and agent killed', 'all killed'],
  cycles: ['guest stopped', 'guest killed', 'guest and agent killed', 'all killed'],
  child: ['guest stopped', 'guest killed', 'guest and agent killed', 'all killed'],
} satisfies Record<Way, readonly End[]>

const isRoot = process.geteuid?.() === 0

/**
 * A guest that writes to its disks by turns, protected; parts of that die, freeze, and are cut off, at random. In the end no write that the guest
 * was told of is missing on its disks; the hub has the same, or all that was said to be there; each moment that it ever offered is one that was; and
 * to catch up, no more was sent than what had become different.
 *
 * @throws Error where anything is not so
 */
export async function replicaRun(random: Random, { way, planted, only }: RunOptions): Promise<ReplicaReport> {
  const folder = mkdtempSync(join(tmpdir(), 'replica-'))
  await using stack = new Teardowns()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const isFar = random.chance(0.3)
  const delay = random.chance(0.3) ? 1 + random.int(random.pick([10, 60])) : 0
  const link = stack.use(await (isFar && isRoot ? namespaceNetwork() : proxyNetwork(delay)))
  const data = join(folder, 'data')
  const isSmall = random.chance(0.4) && isRoot
  if (isSmall) {
    mkdirSync(data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'small', data])
    stack.defer(() => execFileSync('umount', ['--lazy', data]))
  }
  // some are written through again and again; of others an outage makes a part different
  const guest = { disks: 1 + random.int(3), sectors: random.chance(0.5) ? 100 + random.int(900) : 6000 }
  const size = Math.ceil(guestDiskSize(guest) / mebibyte + 1 + random.int(6)) * mebibyte
  const little = random.pick([
    { memory: '256K', file: '256K' },
    { memory: '1M', file: '4M' },
  ])
  // a copy of all needs a hub that takes what QEMU has under way within the deadline
  const buffer = way === 'inline' ? little : { memory: '8M', file: '4M' }
  const syncAtMost = random.pick([0, 30])
  const place = stack.use(
    new ReplicaPlace({ folder, guest, size, way, link, random, data, buffer, syncAtMost, planted }),
  )
  place.hub.start()
  await link.begin()
  try {
    if (way !== 'inline') await place.startGuest()
    place.agent.start()
    await place.untilProtected('the disks are protected')
    if (way === 'inline') await place.startGuest()
  } catch (error) {
    keepWords(place)
    throw error
  }
  const run = new WatchedRun(place, link, random)
  const kinds = faultsOf({ isSmall }).filter(name => only?.includes(name) ?? true)
  const end = random.pick(ends[way])
  try {
    for (let left = 2 + random.int(4); left > 0; left--) {
      await aWhile(random, 500)
      const name = random.pick(kinds)
      const fault = { name, from: performance.now(), to: Number.POSITIVE_INFINITY }
      run.faults.push(fault)
      await faults[name](run)
      fault.to = performance.now()
      if (random.chance(0.5)) await place.untilProtected('the disks are protected again')
    }
    await aWhile(random, 500)
    await endRun(run, end)
    return await judge(run, end)
  } catch (error) {
    keepWords(place)
    await run.end().catch(() => {})
    const { message } = error as Error
    throw new Error(`${message}: after ${namesOf(run).join(', ')}, ${end}`, { cause: error })
  }
}

const namesOf = (run: WatchedRun): string[] => run.faults.map(({ name }) => name)

async function endRun(run: WatchedRun, end: End): Promise<void> {
  const { place } = run
  if (end === 'guest stopped') {
    await place.stopGuest()
    await place.untilProtected('the disks are protected')
    await insisting(() => place.ask('agent', 'checkpoint', { group, name: 'end' }))
    await run.end()
    return
  }
  if (end === 'guest killed') {
    await place.killGuest()
    await run.end()
    return
  }
  const isAll = end === 'all killed'
  const now = performance.now()
  run.faults.push({ name: 'agent killed for good', from: now, to: now })
  await Promise.all([place.killGuest(), place.agent.kill(), isAll && place.hub.kill()])
  await run.end()
  if (isAll) place.hub.start()
  // the hub may still be starting, or writing what it has received
  await insisting(() => place.imagesAt({ newest: true }, 'disaster'))
  await run.holdNewest('disaster')
  if (place.options.way === 'inline') place.agent.start()
}

async function judge(run: WatchedRun, end: End): Promise<ReplicaReport> {
  const { place, link } = run
  const { way, guest } = place.options
  // a write that was on its way when QEMU died may still come to be
  if (way === 'inline') await place.untilWhole('the hub has all')
  const local = place.images()
  const writes = place.localWrites()
  if (way === 'inline' || end === 'guest stopped') {
    const newest = await place.imagesAt({ newest: true }, 'newest')
    for (const [disk, image] of newest.entries())
      if (!image.equals(local[disk]!))
        throw new Error(`the hub's disk ${disk} is not the guest's: ${difference(image, local[disk]!)}`)
  } else await run.holdNewest('newest')
  const points = await judgePoints(run, writes)
  const pauseAtMost = lateAtMost + (way === 'inline' ? 0 : deadline)
  if (run.pause > pauseAtMost) throw new Error(`the guest stood still for ${run.pause} ms`)
  await Promise.all([place.agent.kill(), place.hub.kill()])
  const { moments, resent } = await traceJournal(place)
  return {
    ...{ way, disks: guest.disks, network: link.what, faults: namesOf(run), end, writes, points, moments },
    ...{ held: run.held, pause: Math.round(run.pause), ...checkResent(run, resent, writes) },
  }
}

/** Looks at some of the moments that the hub offers. @returns how many */
async function judgePoints(run: WatchedRun, writes: number): Promise<number> {
  const { place, random } = run
  let points = 0
  const look = async (what: string, at: object, least: number, most: number): Promise<number> => {
    const images = await place.imagesAt(at, `look${points}`)
    const found = of(what, () => place.writesIn(images))
    if (found < least || found > most) throw new Error(`${what} has ${found} writes, and is of ${least} to ${most}`)
    points++
    return found
  }
  const history = (await insisting(() => place.hubStatus()))?.history ?? []
  const times = history
    .flatMap(({ from, to }) =>
      Array.from({ length: 2 }, () => from.time + random.int(Math.max(1, to.time - from.time))),
    )
    .sort((one, other) => one - other)
  // a live child may have the write that was under way when QEMU was killed, and the image not
  const most = writes + (place.options.way === 'child' ? 1 : 0)
  let before = 0
  for (const time of times.filter(() => random.chance(pointsLookedAt / Math.max(pointsLookedAt, times.length))))
    before = await look(`as of ${time}`, { time }, before, most)
  for (const [name, { least, most }] of [...run.named].slice(-pointsLookedAt))
    await look(`checkpoint ${name}`, { name }, least, most)
  for (const { position, most } of run.offered.slice(-2)) await look(`position ${position}`, { position }, 0, most)
  return points
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

/** What was said last, for who looks for the fault. */
function keepWords({ agent, hub, guestSaid }: ReplicaPlace): void {
  writeFileSync(join(tmpdir(), 'replica-failed.log'), [agent.said, hub.said, guestSaid].join('\n---\n'))
}
