import t from 'tap'
import { live } from './model/live.js'

const { SEED, PAIRLIVES = '500' } = process.env
const first = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`lives of a pair under a lease, SEED=${first} PAIRLIVES=${PAIRLIVES}`, { timeout: 0 }, async t => {
  const total: Record<string, number> = {}
  for (let life = 0; life < Number(PAIRLIVES); life++) {
    const lived = await live(first + life).catch(error => {
      throw new Error(`SEED=${first + life} PAIRLIVES=1: ${error.message}`, { cause: error })
    })
    for (const [what, count] of Object.entries(lived)) total[what] = (total[what] ?? 0) + count
  }
  t.comment(JSON.stringify(total))
  for (const [what, count] of Object.entries(total)) t.ok(count > 0, `${what} happened`)
})
