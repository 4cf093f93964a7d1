import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import { type ReplicaReport, replicaRun, type Way } from './replica-run.js'

const { CI, SEED, RUNS } = process.env

/** So many runs, each of a seed that it prints; `SEED=… RUNS=1` does that one again. With CI set they are others each time. */
export async function runReplicas(t: Test, way: Way, count: number): Promise<void> {
  const first = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 31) : 1
  const runs = RUNS === undefined ? count : Number(RUNS)
  const done: ReplicaReport[] = []
  for (let run = 0; run < runs; run++) {
    const seed = first + run
    await t.test(`${way}, seed ${seed}`, async t => {
      const report = await realPart(t, () => replicaRun(createRandom(seed), way))
      if (report === undefined) return
      done.push(report)
      t.pass(JSON.stringify(report))
    })
  }
  const pause = Math.max(0, ...done.map(one => one.pause))
  const points = done.reduce((sum, one) => sum + one.points, 0)
  t.comment(
    `${runs} replicas by ${way}, seeds ${first} to ${first + runs - 1}: ${points} points looked at, longest pause ${pause} ms`,
  )
}
