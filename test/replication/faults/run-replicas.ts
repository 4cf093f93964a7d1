import { randomInt } from 'node:crypto'
import type { Test } from 'tap'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import type { Way } from './replica-place.js'
import { type ReplicaReport, replicaRun } from './replica-run.js'

const { CI, SEED, COUNT } = process.env

/** So many runs, each of a seed that it prints; `SEED=… COUNT=1` does that one again. With CI set they are others each time. */
export async function runReplicas(t: Test, way: Way, count: number): Promise<void> {
  const first = SEED !== undefined ? Number(SEED) : CI ? randomInt(2 ** 31) : 1
  const runs = COUNT === undefined ? count : Number(COUNT)
  const done: ReplicaReport[] = []
  for (let run = 0; run < runs; run++) {
    const seed = first + run
    await t.test(`${way}, seed ${seed}`, async t => {
      const report = await realPart(t, () => replicaRun(createRandom(seed), { way }))
      if (report === undefined) return
      done.push(report)
      t.pass(JSON.stringify(report))
    })
  }
  const pause = Math.max(0, ...done.map(one => one.pause))
  const sum = (of: (report: ReplicaReport) => number) => done.reduce((all, one) => all + of(one), 0)
  const found = [
    `${sum(one => one.points)} points looked at, of ${sum(one => one.moments)} moments in the journals`,
    `${sum(one => one.held)} recovery points held against the hub`,
    `resent ${sum(one => one.resent)} bytes of ${sum(one => one.dirty)} at most, longest pause ${pause} ms`,
  ]
  t.comment(`${runs} replicas by ${way}, seeds ${first} to ${first + runs - 1}: ${found.join('; ')}`)
}
