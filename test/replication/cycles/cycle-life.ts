import type { Test } from 'tap'
import type { Random } from '../../support/random.js'
import { type CycleAgent, cycleGuest, mebibyte } from './cycle-guest.js'
import { hold } from './staged-target.js'

const faults = [
  'none',
  'none',
  'none',
  'target fails',
  'hub fails',
  'target freezes',
  'agent dies in the copy',
  'agent dies at the hub',
  'agent dies after the hub',
  'QEMU ends',
  'QEMU is killed',
] as const

const granule = 65_536
const size = mebibyte

export interface LifeCounts {
  settled: number
  failed: number
  whole: number
}

/**
 * A guest whose disks are written at random, and whose cycles go wrong at random: whenever one has settled, the replicas must be what the disks were
 * in its moment, and no more must have been sent than what was written since.
 *
 * @throws Error where it is not so
 */
export async function cycleLife(t: Test, random: Random, steps: number): Promise<LifeCounts> {
  const format = random.chance(0.7) ? 'qcow2' : 'raw'
  const guest = await cycleGuest(t, { disks: 2, format, size })
  guest.target.faults.leavesHalf = random.chance(0.5)
  /** An agent that writes down what the hub has, or one that believes the bitmaps. */
  const keepsRecord = random.chance(0.6)
  const disks = guest.volumes.map(() => Buffer.alloc(size))
  /** The granules that were written since the last settled cycle, and before it, where bitmaps of that were left. */
  let [dirty, older] = [new Set<string>(), new Set<string>()]
  const counts = { settled: 0, failed: 0, whole: 0 }
  let agent: CycleAgent | undefined
  let held: number | undefined
  let isExcused = true

  const write = async () => {
    const disk = random.int(disks.length)
    const from = 512 * random.int(size / 512)
    const length = Math.min(size - from, 512 * (1 + random.int(random.chance(0.3) ? 400 : 16)))
    const byte = random.chance(0.2) ? 0 : 1 + random.int(255)
    for (let at = Math.floor(from / granule); at * granule < from + length; at++) dirty.add(`${disk} ${at}`)
    await guest.io(disk, byte === 0 ? `write -z ${from} ${length}` : `write -P ${byte} ${from} ${length}`)
    disks[disk]!.fill(byte, from, from + length)
  }

  for (let step = 0; step < steps; step++) {
    for (let count = random.int(6); count > 0; count--) await write()
    const fault = random.pick(faults)
    if (fault.startsWith('QEMU')) {
      await agent?.die()
      agent = undefined
      if (fault === 'QEMU ends') await guest.qemu.quit()
      else {
        for (const disk of disks.keys()) await guest.io(disk, 'flush')
        await guest.qemu.stop()
      }
      await guest.restart()
      isExcused ||= fault === 'QEMU is killed' || format === 'raw'
      continue
    }
    agent ??= await guest.agent({
      limit: fault === 'target freezes' ? 100 : 20_000,
      ...(held !== undefined && keepsRecord && { held }),
    })
    if (fault === 'target freezes' && agent.limit !== 100) continue
    const { runner } = agent
    const waiting = hold()
    let death: Promise<void> | undefined
    const isHere = random.int(4) + 1
    let along: Promise<void> | undefined
    const dies = () => {
      death ??= agent!.die()
      return waiting.waits
    }
    const { leavesHalf } = guest.target.faults
    guest.target.faults = {
      leavesHalf: leavesHalf ?? false,
      onWrite: (_, count) => {
        if (fault === 'target freezes') return waiting.waits
        if (fault === 'target fails' && count === isHere) throw new Error('no')
        if (fault === 'agent dies in the copy' && count === isHere) return dies()
        // the guest does not wait for us
        if (random.chance(0.3)) along ??= write()
        return undefined
      },
      onComplete: () => {
        if (fault === 'hub fails') throw new Error('no')
        if (fault === 'agent dies at the hub') return dies()
        if (fault === 'agent dies after the hub') return agent!.qmp.close()
        return undefined
      },
    }
    const moment = disks.map(disk => Buffer.from(disk))
    const [dirtyThen, olderThen] = [dirty, older]
    ;[dirty, older] = [new Set(), new Set()]
    const outcome = await runner.cycle()
    waiting.release()
    await Promise.all([death, along])
    if (outcome.kind === 'settled') {
      counts.settled++
      held = outcome.held
      for (const [index, volume] of guest.volumes.entries())
        if (!guest.target.contents(volume).equals(moment[index]!))
          throw new Error(`step ${step} (${fault}): ${volume} differs`)
      if (outcome.whole.length > 0) {
        counts.whole++
        if (!isExcused) throw new Error(`step ${step}: sent whole: ${JSON.stringify(outcome.whole)}`)
      } else {
        const most = new Set([...dirtyThen, ...olderThen]).size * granule
        if (outcome.bytes > most) throw new Error(`step ${step}: ${outcome.bytes} bytes were sent, and ${most} changed`)
      }
      // with the mark still there, who does not know better begins anew
      isExcused = outcome.whole.length > 0 && outcome.left.length > 0
      // the bitmap before it may be there still
      older = new Set(outcome.left.length > 0 ? [...dirtyThen, ...olderThen] : [])
    } else {
      if (outcome.kind !== 'failed') throw new Error(`step ${step} (${fault}): ${JSON.stringify(outcome)}`)
      if (fault === 'none') throw new Error(`step ${step}: ${JSON.stringify(outcome)}`)
      counts.failed++
      for (const one of dirtyThen) dirty.add(one)
      older = olderThen
    }
    if (fault.startsWith('agent') || (death ?? fault === 'target freezes')) {
      await agent.die()
      agent = undefined
    }
  }
  await agent?.die()
  await guest.qemu.stop()
  return counts
}
