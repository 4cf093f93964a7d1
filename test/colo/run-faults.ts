import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { faultRun } from './fault-run.js'

const { CI, SEED, RUNS } = process.env

/** So many runs, each of a seed that it prints; `SEED=… RUNS=1` does that one again. With CI set they are others each time. */
export async function runFaults(t: Test, count: number): Promise<void> {
  const first = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 31) : 1
  const runs = RUNS === undefined ? count : Number(RUNS)
  for (let run = 0; run < runs; run++) {
    const seed = first + run
    await t.test(`seed ${seed}`, t => realPart(t, () => faultRun(t, createRandom(seed), `seed ${seed}`)))
  }
  t.comment(`${runs} fault runs, seeds ${first} to ${first + runs - 1}`)
}
