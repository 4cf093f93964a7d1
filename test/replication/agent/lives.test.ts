import t from 'tap'
import { faults } from './model/faults.js'
import { liveMany } from './model/life.js'

const { SEED, LIVES = '150' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

// a busy machine takes its time
t.setTimeout(0)

t.test(`random lives of a group, SEED=${seed} LIVES=${LIVES}`, { timeout: 0 }, async t => {
  const totals = await liveMany(seed, Number(LIVES))
  t.comment(JSON.stringify(totals))
  if (Number(LIVES) < 100) return
  for (const [what, count] of Object.entries(totals)) t.ok(count > 0, `${what} happened`)
})

for (const { what, symptom, from = 1, plant } of faults)
  t.test(`found: ${what}`, { timeout: 0 }, async t => {
    t.teardown(plant())
    await t.rejects(liveMany(from, 4000), { message: symptom })
  })
