import fc from 'fast-check'
import { Schedule } from './schedule.js'

/** What a pair goes through: the first number decides how it is configured, each other one what happens next. */
export interface Life {
  first: number
  steps: readonly number[]
}

const lifeArbitrary = (longest: number): fc.Arbitrary<Life> =>
  fc.record({
    // a step with another number is another step: a story gets shorter by having fewer
    first: fc.noShrink(fc.nat()),
    steps: fc.array(fc.noShrink(fc.nat()), { maxLength: longest, size: 'max' }),
  })

/** Lives it. @returns what happened, counted. @throws with the story where something is not so */
function live({ first, steps }: Life): Schedule['counts'] {
  const schedule = new Schedule(first)
  try {
    schedule.begin()
    for (const step of steps) schedule.step(step)
    schedule.finish()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${why}\n${schedule.story.map(line => `  ${line}`).join('\n')}`, { cause: error })
  }
  return schedule.counts
}

/** Lives many. Where one fails, a short story that fails too is looked for, unless any will do. */
export function liveMany(seed: number, runs: number, { longest = 200, anyWillDo = false } = {}): Schedule['counts'] {
  const totals: Schedule['counts'] = {
    failovers: 0,
    crashes: 0,
    resyncs: 0,
    checkpoints: 0,
    writes: 0,
    exact: 0,
    fenced: 0,
  }
  const property = fc.property(lifeArbitrary(longest), life => {
    const counts = live(life)
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += counts[name]
  })
  fc.assert(property, { seed, numRuns: runs, endOnFailure: anyWillDo })
  return totals
}
