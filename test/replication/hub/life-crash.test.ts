import t from 'tap'
import { goThroughCrash } from './played-story.js'

t.test('a crash before a change of the disk, in any step', async t => {
  const { SEED } = process.env
  const seed = Number(SEED ?? Math.floor(Math.random() * 1e6))
  t.comment(`seed ${seed}; life.faults.ts tries all of them`)
  let crashAt = 1 + (seed % 4)
  for (; crashAt < 5000; crashAt += 4) {
    const { wrong, isReached } = await goThroughCrash(crashAt, seed + crashAt)
    if (wrong !== undefined) t.fail(`seed ${seed}, crash at ${crashAt}: ${wrong}`)
    if (!isReached) break
  }
  t.ok(crashAt > 150, `up to the change ${crashAt}`)
})
