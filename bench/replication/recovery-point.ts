import { setTimeout as delay } from 'node:timers/promises'
import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { runFio } from '../fio.js'
import { median, table } from '../statistics.js'
import { atMost } from './goal.js'
import { keptGuest } from './kept-guest.js'
import { makeDisk, mebibyte } from './make-disk.js'
import { Place } from './place.js'

const size = 256 * mebibyte
/** How a disk is written to: in MB a second, in blocks of so many KiB at random places. A cycle copies granules of 64 KiB. */
const loads = [
  { rate: 1, block: 4 },
  { rate: 5, block: 4 },
  { rate: 50, block: 64 },
  { rate: 50, block: 4 },
] as const
type Load = (typeof loads)[number]
const seconds = 5
/** How often the agent is asked, in milliseconds. */
const every = 20

/** How a disk is written to, and what its agent is asked. */
interface Kept {
  name: string
  uri: string
  place: Place
  untilKept(): Promise<void>
  /** How far behind the hub is to be at most, in milliseconds. */
  goal: number
}

/** How far behind the hub is while a disk is written to at some rates. */
export async function benchRecoveryPoint(): Promise<string> {
  await using stack = new Teardowns()
  const rows: string[][] = []
  for (const begin of [inline, cycles('1s', 'one cycle a second'), cycles('500ms', 'two cycles a second')]) {
    const { name, uri, place, untilKept, goal } = await begin(stack)
    for (const load of loads) {
      const behind = await sample(uri, place, load)
      await untilKept()
      const largest = Math.max(...behind)
      rows.push([
        `${name}, ${load.rate} MB/s of ${load.block} KiB`,
        median(behind).toFixed(0),
        largest.toFixed(0),
        `${atMost(median(behind), goal)}; largest: ${largest <= goal ? 'met' : 'MISSED'}`,
      ])
    }
  }
  return table([['replication: ms that the hub is behind', 'median', 'largest', 'goal'], ...rows])
}

async function inline(stack: Teardowns): Promise<Kept> {
  const place = stack.use(new Place())
  makeDisk(place.image, { size, data: size })
  await place.startBoth()
  return { name: 'inline', uri: place.uri, place, untilKept: () => place.untilCaughtUp(), goal: 100 }
}

const cycles =
  (every: string, name: string) =>
  async (stack: Teardowns): Promise<Kept> => ({
    ...(await keptGuest(stack, 'cycles', { size, data: size, every })),
    ...{ name, goal: 1000 },
  })

/** In milliseconds, at so many moments. */
async function sample(uri: string, place: Place, { rate, block }: Load): Promise<number[]> {
  const options = ['--rw=randwrite', `--bs=${block}k`, '--iodepth=4', `--size=${size}`, `--rate=${rate * 1_000_000}`]
  let isOver = false
  const writing = runFio(uri, [...options, `--runtime=${seconds}`]).finally(() => {
    isOver = true
  })
  const behind: number[] = []
  while (!isOver) {
    await delay(every)
    const { recoveryPoint } = await place.agentGroup()
    behind.push((recoveryPoint.behind ?? Number.POSITIVE_INFINITY) * 1000)
  }
  await writing
  return behind
}
