import { type Checkpoint, type ColoPair, protectPair } from 'xenlight/colo'
import { cont, stop } from 'xenlight/qmp'
import { ReplyTimes, type TimedWork } from './reply-times.js'
import { interval, tick } from './tick.js'
import { writeRate } from './write-rate.js'
import { plainGuest, untilBooted, writingPair } from './writing-guest.js'

const rounds = 5
/** How long a guest writes before it is another's turn, in milliseconds. */
const slice = 1000
const checkpointsEach = slice / interval

/** Sectors a second in each round: a disk that is not COLO's, a protected one, and that one under checkpoints. */
export interface Throughput {
  plain: number[]
  protected: number[]
  checkpointed: number[]
  /** How many checkpoints a second there were really, in each round. */
  frequency: number[]
  checkpoints: TimedWork<Checkpoint>[]
}

/** By turns, each guest alone, so that a busy machine slows all. The first round is not counted. */
export async function measureThroughput(): Promise<Throughput> {
  await using plain = await plainGuest()
  await using qemus = await writingPair()
  const { primary, options } = qemus
  const times = new ReplyTimes()
  const [here, there] = [options.primary, options.secondary].map(side => ({ ...side, qmp: times.over(side.qmp) }))
  await using pair = await protectPair({ ...options, primary: here!, secondary: there! })
  for (const guest of [plain, primary]) {
    await guest.qemu.client.run(cont)
    await untilBooted(guest)
    await guest.qemu.client.run(stop)
  }
  const rates: Throughput = { plain: [], protected: [], checkpointed: [], frequency: [], checkpoints: [] }
  const wait = () => new Promise(resolve => setTimeout(resolve, slice))
  for (let round = 0; round <= rounds; round++) {
    const taken: TimedWork<Checkpoint>[] = []
    let started = 0
    const checkpoints = () => {
      started = performance.now()
      return takeCheckpoints(pair, times, taken)
    }
    const rate = {
      plain: await writeRate(plain, wait),
      protected: await writeRate(primary, wait),
      checkpointed: await writeRate(primary, checkpoints),
    }
    if (round === 0) continue
    for (const kind of ['plain', 'protected', 'checkpointed'] as const) rates[kind].push(rate[kind])
    rates.frequency.push((taken.length / (taken.at(-1)!.to - started)) * 1000)
    rates.checkpoints.push(...taken)
  }
  const state = pair.states.get(pair.disks[0]!)
  if (state?.kind !== 'protected') throw new Error(`the disk is ${state?.kind}: ${state?.why}`)
  return rates
}

async function takeCheckpoints(pair: ColoPair, times: ReplyTimes, taken: TimedWork<Checkpoint>[]): Promise<void> {
  for await (const _ of tick(checkpointsEach)) taken.push(await times.of(() => pair.checkpoint()))
}
