import t from 'tap'
import { goThroughCrash } from './played-story.js'

t.test('a crash before each change of the disk, in each step', async t => {
  const { SEED, COUNT = 10 } = process.env
  const first = Number(SEED ?? Math.floor(Math.random() * 1e6))
  for (let seed = first; seed < first + Number(COUNT); seed++) {
    let crashAt = 1
    for (; crashAt < 5000; crashAt++) {
      const { wrong, isReached } = await goThroughCrash(crashAt, seed * 1000 + crashAt)
      if (wrong !== undefined) t.fail(`seed ${seed}, crash at ${crashAt}: ${wrong}`)
      if (!isReached) break
    }
    t.ok(crashAt > 150, `seed ${seed}: ${crashAt} crashes`)
  }
})
