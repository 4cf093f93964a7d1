import t from 'tap'
import { Series } from '#xenlight/page/series.js'

const begin = 1_000_000

t.test('the largest value of each step, and null where nothing was seen', t => {
  const series = new Series({ step: 100, count: 10 })
  series.observe(begin, 5)
  series.observe(begin + 50, 7)
  series.observe(begin + 60, 6)
  series.observe(begin + 310, 1.23456)
  t.strictSame(series.plotted(begin + 399), { step: 100, to: begin + 400, values: [7, null, null, 1.235] })
  t.strictSame(series.plotted(begin + 599).values, [7, null, null, 1.235, null, null])
  t.strictSame(series.plotted(begin + 599, 3).values, [1.235, null, null])
  t.end()
})

t.test('never more than there may be', t => {
  const series = new Series({ step: 100, count: 10 })
  for (let at = begin; at < begin + 100_000; at += 10) series.observe(at, at)
  t.equal(series.plotted(begin + 99_999).values.length, 10)
  t.equal(series.plotted(begin + 99_999).values.at(-1), Number((begin + 99_990).toPrecision(4)))
  series.observe(begin + 10 ** 12, 3)
  t.strictSame(series.plotted(begin + 10 ** 12).values, [3], 'a clock that jumps leaves nothing old')
  t.end()
})

t.test('a clock that was set back, and what is no number', t => {
  const series = new Series({ step: 100, count: 10 })
  series.observe(begin, 1)
  series.observe(begin - 5000, 4)
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) series.observe(begin, value)
  t.strictSame(series.plotted(begin - 9000), { step: 100, to: begin + 100, values: [4] })
  t.strictSame(new Series().plotted(begin).values, [null])
  t.end()
})
