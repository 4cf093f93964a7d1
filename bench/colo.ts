import { type Failover, measureFailover } from './colo/failover.js'
import { sumOf, waitOf } from './colo/reply-times.js'
import { measureThroughput, type Throughput } from './colo/throughput.js'
import { median, quantile, table } from './statistics.js'

const failovers = 5

/** A guest that writes without end: what it loses by being protected, what a checkpoint takes, and a failover. */
export async function benchColo(): Promise<string> {
  const measured = await measureThroughput()
  const taken: Failover[] = []
  for (let round = 0; round < failovers; round++) taken.push(await measureFailover())
  return [writes(measured), checkpointTimes(measured), failoverTimes(taken)].join('\n\n')
}

function writes({ plain, protected: replicated, checkpointed, frequency }: Throughput): string {
  const kept = (rates: number[]) => median(rates.map((rate, round) => rate / plain[round]!)).toFixed(2)
  const rate = (rates: number[]) => median(rates).toFixed(0)
  return table([
    ["COLO: a guest's writes", 'sectors/s', 'kept'],
    ['not protected', rate(plain), ''],
    ['protected, no checkpoints', rate(replicated), kept(replicated)],
    [`protected, ${median(frequency).toFixed(1)} checkpoints a second`, rate(checkpointed), kept(checkpointed)],
  ])
}

function checkpointTimes({ checkpoints }: Throughput): string {
  const row = (name: string, numbers: number[], digits = 2) => [
    name,
    median(numbers).toFixed(digits),
    quantile(numbers, 0.99).toFixed(digits),
  ]
  const total = checkpoints.map(({ from, to }) => to - from)
  return table([
    [`COLO: ms a checkpoint, of ${checkpoints.length}`, 'median', 'p99'],
    row('all of it', total),
    row(
      'of it the guest stands still',
      checkpoints.map(({ result }) => result.pause),
    ),
    row("sum of the replies' own times", checkpoints.map(sumOf)),
    row('waiting for one reply or two', checkpoints.map(waitOf)),
    row(
      'all of it / sum',
      checkpoints.map((work, index) => total[index]! / sumOf(work)),
    ),
    row(
      'all of it / waiting',
      checkpoints.map((work, index) => total[index]! / waitOf(work)),
    ),
  ])
}

function failoverTimes(taken: readonly Failover[]): string {
  const row = (name: string, numbers: number[]) => [name, median(numbers).toFixed(0), Math.max(...numbers).toFixed(0)]
  return table([
    [`COLO: ms from a failover to a guest, of ${taken.length}`, 'median', 'longest'],
    row(
      'all of it',
      taken.map(({ failover, boot }) => failover + boot),
    ),
    row(
      'failOver',
      taken.map(({ failover }) => failover),
    ),
    row(
      'reset, BIOS and boot sector',
      taken.map(({ boot }) => boot),
    ),
    row(
      "the primary's first boot",
      taken.map(({ firstBoot }) => firstBoot),
    ),
  ])
}
