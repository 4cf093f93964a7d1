import t from 'tap'
import { liveMany } from './model/life.js'

const { SEED, LIVES = '20000' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.setTimeout(0)

t.test(`random lives of a group, SEED=${seed} LIVES=${LIVES}`, { timeout: 0 }, async t => {
  const totals = await liveMany(seed, Number(LIVES))
  t.comment(JSON.stringify(totals))
  for (const [what, count] of Object.entries(totals)) t.ok(count > 0, `${what} happened`)
})
