import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { type GuestRun, guestRun } from './guest-run.js'

const { CI, SEED, RUNS } = process.env

/** So many runs, each of a seed that it prints; `SEED=… RUNS=1` does that one again. With CI set they are others each time. */
export async function runGuests(t: Test, count: number): Promise<void> {
  const first = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 31) : 1
  const runs = RUNS === undefined ? count : Number(RUNS)
  const done: GuestRun[] = []
  for (let run = 0; run < runs; run++) {
    const seed = first + run
    await t.test(`seed ${seed}`, async t => {
      const result = await realPart(t, () => guestRun(createRandom(seed)))
      if (result === undefined) return
      done.push(result)
      t.pass(JSON.stringify(result))
    })
  }
  const ends = [...new Set(done.map(({ end }) => end))].join(', ')
  t.comment(`${runs} guests lost their primary, seeds ${first} to ${first + runs - 1}: ${ends}`)
}
