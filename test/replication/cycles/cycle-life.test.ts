import { randomInt } from 'node:crypto'
import t from 'tap'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import { cycleLife } from './cycle-life.js'

const { SEED, RUNS = '2' } = process.env
const first = SEED === undefined ? randomInt(2 ** 31) : Number(SEED)

for (let seed = first; seed < first + Number(RUNS); seed++)
  t.test(`cycles that go wrong at random: SEED=${seed}`, async t => {
    const counts = await realPart(t, () => cycleLife(t, createRandom(seed), 25))
    if (counts !== undefined) t.pass(JSON.stringify(counts))
  })
