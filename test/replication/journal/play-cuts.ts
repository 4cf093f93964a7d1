import assert from 'node:assert/strict'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import { createRandom, type Random } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { emptyMoment, isBehind, type Moment, offeredAt } from './journal-model.js'
import { JournalRun } from './journal-run.js'
import { checkJournal } from './verify-journal.js'

/** A disk as a crash left it, and what was true at that moment. */
interface Cut {
  disk: MemoryDisk
  acknowledged: Moment
  /** What may be behind it. */
  appended: readonly Moment[]
  /** Positions that must not have been folded. */
  needed: readonly Moment[]
}

export interface CutsOptions {
  seed: number
  /** How many times the disk is cut off, over all runs. */
  cuts: number
  /** Whether the disk gets full now and then. */
  full?: boolean | undefined
}

/** Random runs whose disk is cut off at any operation; each time what is left is opened and looked at. Throws with the seed of the run. */
export async function playCuts({ seed, cuts, full = false }: CutsOptions): Promise<void> {
  let done = 0
  for (let run = seed; done < cuts; run++)
    try {
      done += await playRun(createRandom(run), full)
    } catch (error) {
      throw new Error(`seed ${run}`, { cause: error })
    }
}

async function playRun(random: Random, full: boolean): Promise<number> {
  const options = {
    segmentSize: random.pick([2048, 8192, 60_000]),
    compress: random.chance(0.2),
    limits: random.pick([{}, { bytes: 10_000 }, { bytes: 30_000 }, { history: 3_000_000 }]),
  }
  const run = new JournalRun(new MemoryDisk(), random, options, emptyMoment)
  run.large = random.chance(0.1)
  return await liveAndDie(run, full, 60, 2)
}

/** @param lives how often what is left of a crash is lived on with */
async function liveAndDie(run: JournalRun, full: boolean, steps: number, lives: number): Promise<number> {
  const { random, disk } = run
  const cuts: Cut[] = []
  const cut = () => cuts.push(cutOff(run))
  const often = random.pick([0.02, 0.05, 0.2])
  disk.before = operation => {
    if (random.chance(often)) cut()
    if (full && operation !== 'remove' && operation !== 'truncate' && random.chance(0.01))
      throw Object.assign(new Error('played'), { code: 'ENOSPC' })
  }
  try {
    await run.open()
    for (let step = 0; step < steps && run.isOpen; step++) await run.step()
    cut()
    if (run.isOpen) {
      await run.settle()
      await checkJournal(run.journal, run.head, random, 3)
      run.checkPinned()
    }
  } catch (error) {
    // a disk may be full also when the journal is opened
    if (!full || Object(error).code !== 'full') throw error
  }
  disk.before = () => {}
  await run.close().catch(() => {})
  let done = cuts.length
  for (const one of cuts) {
    const head = await check(one, run)
    if (lives > 0 && random.chance(0.05)) {
      const next = new JournalRun(one.disk, random, run.options, head)
      done += await liveAndDie(next, full, 20, lives - 1)
    }
  }
  return done
}

function cutOff(run: JournalRun): Cut {
  const { acknowledged, appended, pinned, kept } = run
  const points = run.journal === undefined ? [] : [...run.journal.points()]
  const keptPositions = new Set(points.filter(({ name }) => kept.has(name ?? '')).map(({ position }) => position))
  return {
    disk: run.disk.crashed(run.random),
    acknowledged,
    appended: [...appended],
    needed: [
      ...pinned.map(({ moment }) => moment),
      ...offeredAt(acknowledged).filter(({ position }) => keptPositions.has(position)),
    ],
  }
}

/** Opens what is left. @returns what it must be then */
async function check({ disk, acknowledged, appended, needed }: Cut, run: JournalRun): Promise<Moment> {
  const journal = await GroupJournal.open(disk.folder, run.options)
  try {
    const { position } = journal.last
    const candidates = [acknowledged, ...appended.filter(one => isBehind(one, acknowledged))]
    const possible = candidates.filter(one => one.position === position)
    assert.ok(possible.length > 0, `position ${position}, of which ${acknowledged.position} was acknowledged`)
    let failure: unknown
    for (const head of possible)
      try {
        await checkJournal(journal, head, run.random, 2)
        const alive = new Set(offeredAt(head))
        for (const moment of needed) if (alive.has(moment)) (await journal.view(moment.position)).close()
        return head
      } catch (error) {
        failure = error
      }
    throw failure
  } finally {
    await journal.close()
  }
}
