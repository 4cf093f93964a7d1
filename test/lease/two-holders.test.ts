import fc from 'fast-check'
import t from 'tap'
import { holdsAsync } from '../support/holds.js'
import { type Lived, live } from './model/live.js'
import { plants } from './model/planted-keepers.js'

const life = fc.record({
  seed: fc.integer({ min: 1 }),
  ttl: fc.integer({ min: 2000, max: 15_000 }),
  holders: fc.integer({ min: 2, max: 3 }),
  drift: fc.constantFrom(0, 0.01, 0.09),
})

t.test(
  'of those who want a lease never two have it, whatever is late, lost, stopped, or goes at another rate',
  async t => {
    const total: Record<string, number> = {}
    const property = fc.asyncProperty(life, async one => {
      const lived: Lived = await live(one)
      for (const [what, count] of Object.entries(lived)) total[what] = (total[what] ?? 0) + count
    })
    await holdsAsync(t, property, { numRuns: 150 })
    t.comment(JSON.stringify(total))
    for (const [what, count] of Object.entries(total)) t.ok(count > 0, `${what} happened`)
  },
)

for (const [name, plant] of Object.entries(plants))
  t.test(`the model finds ${name}`, async t => {
    for (let seed = 1; seed <= 300; seed++) {
      try {
        await live({ seed, ttl: 4000, holders: 2, drift: 0.09 }, plant)
      } catch (error) {
        t.match((error as Error).message, /these have it|^epoch \d+ after/, `life ${seed}`)
        return
      }
    }
    t.fail('not found in 300 lives')
  })
