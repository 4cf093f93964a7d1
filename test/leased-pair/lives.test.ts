import fc from 'fast-check'
import t from 'tap'
import type { Catalogue } from 'xenlight/lease'
import { holdsAsync } from '../support/holds.js'
import { live, type Planted } from './model/live.js'

t.test(
  'never do two nodes serve, and none without what was promised, whatever is lost, late, stopped or dead',
  async t => {
    const total: Record<string, number> = {}
    const property = fc.asyncProperty(fc.integer({ min: 1 }), async seed => {
      for (const [what, count] of Object.entries(await live(seed))) total[what] = (total[what] ?? 0) + count
    })
    await holdsAsync(t, property, { numRuns: 20 })
    t.comment(JSON.stringify(total))
    for (const [what, count] of Object.entries(total)) t.ok(count > 0, `${what} happened`)
  },
)

/** A catalogue whose record says that both held the same. */
const forgetful = (catalogue: Catalogue): Catalogue => ({
  put: (...args) => catalogue.put(...args),
  remove: (...args) => catalogue.remove(...args),
  list: (...args) => catalogue.list(...args),
  watch: (...args) => catalogue.watch(...args),
  async get(...args) {
    const found = await catalogue.get(...args)
    return found && { ...found, value: { ...(found.value as object), alone: null, state: 'equal' } }
  },
})

const plants: readonly (readonly [name: string, plant: Planted, found: RegExp])[] = [
  ['a guest that is answered without a lease', { isHeld: () => true }, /both serve|is lost/],
  ['a record that is not believed', { catalogue: forgetful }, /is lost, which was promised/],
]

for (const [name, plant, found] of plants)
  t.test(`the model finds ${name}`, async t => {
    for (let seed = 1; seed <= 100; seed++) {
      try {
        await live(seed, plant)
      } catch (error) {
        t.match((error as Error).message, found, `life ${seed}`)
        return
      }
    }
    t.fail('not found in 100 lives')
  })
