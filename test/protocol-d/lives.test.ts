import t from 'tap'
import { faults } from './model/faults.js'
import { liveMany } from './model/live.js'

const { SEED, LIVES = '300' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`random lives of a pair, SEED=${seed} LIVES=${LIVES}`, t => {
  const totals = liveMany(seed, Number(LIVES))
  t.comment(JSON.stringify(totals))
  for (const [what, count] of Object.entries(totals)) t.ok(count > 0, `${what} happened`)
  t.end()
})

/** Why the first life fails that does, with its story. */
function failure(anyWillDo: boolean): string {
  try {
    liveMany(1, 5000, { anyWillDo })
  } catch (error) {
    return String((error as Error).cause)
  }
  return 'none fails'
}

for (const { what, symptom, plant } of faults) {
  t.test(`found: ${what}`, t => {
    t.teardown(plant())
    t.match(failure(true), symptom)
    t.end()
  })
}

t.test('a life that fails is cut down to a short story', t => {
  t.teardown(faults.find(({ what }) => what.startsWith('a flush'))!.plant())
  const story = failure(false).split('\n  ').slice(1)
  t.comment(story.join('\n'))
  t.ok(story.length > 10 && story.length < 40, `${story.length} lines`)
  t.end()
})
