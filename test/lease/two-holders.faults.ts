import t from 'tap'
import { createRandom } from '../support/random.js'
import { live } from './model/live.js'

const { SEED, LIVES = '20000' } = process.env
const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`minutes of those who want a lease, SEED=${first} LIVES=${LIVES}`, { timeout: 1_800_000 }, async t => {
  const total: Record<string, number> = {}
  for (let seed = first; seed < first + Number(LIVES); seed++) {
    const random = createRandom(seed)
    const life = {
      seed,
      ttl: 2000 + random.int(13_000),
      holders: 2 + random.int(3),
      drift: random.pick([0, 0.01, 0.09]),
    }
    try {
      for (const [what, count] of Object.entries(await live(life))) total[what] = (total[what] ?? 0) + count
    } catch (error) {
      t.fail(`SEED=${seed} LIVES=1: ${(error as Error).message}`)
      return
    }
  }
  t.comment(`minutes: ${LIVES} lived: ${JSON.stringify(total)}`)
  for (const [what, count] of Object.entries(total)) t.ok(count > 0, `${what} happened`)
})
