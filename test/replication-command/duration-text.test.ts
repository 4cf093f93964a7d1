import t from 'tap'
import { durationText } from '#xenlight/command-line/duration-text.js'

t.test('how long something takes, as people write it', async t => {
  for (const [seconds, text] of [
    [0, '0 s'],
    [0.004, '0 s'],
    [0.26, '0.3 s'],
    [3, '3 s'],
    [10.4, '10 s'],
    [119, '119 s'],
    [120, '2 min'],
    [150, '2.5 min'],
    [7200, '2 h'],
    [86_400, '24 h'],
    [172_800, '2 d'],
    [8_640_000, '100 d'],
  ] as const)
    t.equal(durationText(seconds), text)
})
