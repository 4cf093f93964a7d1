import t from 'tap'
import { goThroughFull } from './played-story.js'

t.test('a disk that is full at any change, and has room again', async t => {
  const { SEED } = process.env
  const seed = Number(SEED ?? Math.floor(Math.random() * 1e6))
  t.comment(`seed ${seed}`)
  let failAt = 1 + (seed % 2)
  for (; failAt < 5000; failAt += 2) {
    const { wrong, isReached } = await goThroughFull(failAt)
    if (wrong !== undefined) t.fail(`full at ${failAt}: ${wrong}`)
    if (!isReached) break
  }
  t.ok(failAt > 150, `up to the change ${failAt}`)
})
