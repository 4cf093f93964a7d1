import { setTimeout as delay } from 'node:timers/promises'
import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { runFio } from '../fio.js'
import { memoryOf } from '../memory-of.js'
import { median, table } from '../statistics.js'
import { atMost } from './goal.js'
import { makeDisk, mebibyte } from './make-disk.js'
import { Place } from './place.js'

const size = 1024 * mebibyte
/** An hour at 1 MB a second, in bytes, and how fast it is written here at most, in bytes a second. */
const written = 3_600_000_000
const rate = 50_000_000
/** How often it is looked, in milliseconds. */
const every = 250

/** What agent and hub have in memory while an hour's writes come to them in some minutes, in a journal that is folded all the time. */
export async function benchMemory(): Promise<string> {
  await using stack = new Teardowns()
  const place = stack.use(new Place({ journal: '256M' }))
  makeDisk(place.image, { size, data: size })
  await place.startBoth()
  const options = ['--rw=randwrite', '--bs=4k', '--iodepth=4', `--size=${size}`]
  const amount = ['--time_based=0', `--io_size=${written}`, `--rate=${rate}`]
  let isOver = false
  const writing = runFio(place.uri, [...options, ...amount]).finally(() => {
    isOver = true
  })
  const samples: { agent: number; hub: number }[] = []
  while (!isOver) {
    await delay(every)
    samples.push({ agent: memoryOf(place.agent.pid!), hub: memoryOf(place.hub.pid!) })
  }
  const { write } = await writing
  await place.untilCaughtUp()
  const { used } = await place.hubGroup()
  const row = (who: 'agent' | 'hub') => {
    const all = samples.map(sample => sample[who])
    const [early, half, end] = [1 / 6, 1 / 2, 1].map(part => around(all, part)) as [number, number, number]
    return [who, ...[early, half, end, Math.max(...all)].map(one => one.toFixed(0)), atMost(end / half, 1.1)]
  }
  return [
    table([
      ['replication: MiB in memory', 'after a sixth', 'at half', 'at the end', 'largest', 'goal: end / half'],
      row('agent'),
      row('hub'),
    ]),
    `${(write.bytes / 1e6).toFixed(0)} MB were written; the journal had ${(used.journalBytes / 1e6).toFixed(0)} MB in the end`,
  ].join('\n')
}

/** The median of a tenth of all, which ends there. */
function around(all: readonly number[], part: number): number {
  const end = Math.round(all.length * part)
  return median(all.slice(Math.max(0, end - Math.ceil(all.length / 10)), end))
}
