import t, { type Test } from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { faultRun } from './fault-run.js'
import { type Planted, plantedFaults } from './planted-faults.js'

/** As much of a test as a run needs; it only counts what fails. */
class Silent {
  failed = 0
  readonly #teardowns: (() => unknown)[] = []

  ok = (value: unknown) => this.#count(Boolean(value))
  notOk = (value: unknown) => this.#count(!value)
  same = (one: unknown, other: unknown) => this.#count(JSON.stringify(one) === JSON.stringify(other))
  strictSame = this.same
  rejects = (work: Promise<unknown>) =>
    work.then(
      () => this.#count(false),
      () => true,
    )
  comment = () => {}
  passing = () => true
  teardown = (work: () => unknown) => this.#teardowns.unshift(work)

  async end(): Promise<void> {
    for (const work of this.#teardowns) await work()
  }

  #count(isRight: boolean): boolean {
    if (!isRight) this.failed++
    return isRight
  }
}

async function fails(seed: number, plant: Planted, only: string): Promise<boolean> {
  const test = new Silent()
  try {
    await faultRun(test as unknown as Test, createRandom(seed), `seed ${seed}`, { plant, only })
  } catch {
    test.failed++
  }
  await test.end()
  return test.failed > 0
}

/** A checker that has never caught a planted bug is not trusted: each of these it has to catch, within some runs. */
const runs = 12
const where: Record<keyof typeof plantedFaults, string> = {
  'a take-over without failover: true': 'primary killed',
  'success replies are trusted': 'link cut',
  'what was written since a checkpoint is not marked': 'link cut',
}
for (const [name, plant] of Object.entries(plantedFaults) as [keyof typeof plantedFaults, Planted][])
  t.test(`the fault runs find: ${name}`, t =>
    realPart(t, async () => {
      let seed = 1
      while (seed <= runs && !(await fails(seed, plant, where[name]))) seed++
      t.ok(seed <= runs, `${name}: found by run ${seed} of ${runs}`)
    }),
  )
