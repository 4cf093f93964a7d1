import t from 'tap'
import { liveMany } from './model/live.js'

const { SEED, LIVES = '100000' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`random lives of a pair, SEED=${seed} LIVES=${LIVES}`, t => {
  const totals = liveMany(seed, Number(LIVES), { longest: 150 })
  t.comment(JSON.stringify(totals))
  for (const [what, count] of Object.entries(totals)) t.ok(count > 0, `${what} happened`)
  t.end()
})
