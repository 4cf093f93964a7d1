import assert from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { expositionText } from '#xenlight/metrics/exposition.js'
import { counter, type Family, gauge, histogram } from '#xenlight/metrics/family.js'
import { Histogram } from '#xenlight/metrics/histogram.js'
import { printable } from '#xenlight/printable.js'
import { holds } from '../support/holds.js'
import { parseExposition } from './parse-exposition.js'

t.test('the text that a scraper reads', async t => {
  const times = new Histogram([0.1, 1])
  for (const time of [0.05, 0.1, 0.5, 7, -1]) times.observe(time)
  const families = [
    gauge('a_bytes', 'How "much"\\more,\nand why.', [
      [{}, 1],
      [{ group: 'web', volume: 'a\\b"c\nd' }, 2.5],
      [{ group: 'unknown' }, undefined],
      [{ group: 'on' }, true],
    ]),
    counter('b_total', 'Nothing is known.', [[{}, undefined]]),
    histogram('c_seconds', 'Times.', [
      [{}, times],
      [{ group: 'web' }, new Histogram([])],
    ]),
    gauge('d', 'Numbers.', [
      [{ of: '1' }, Number.POSITIVE_INFINITY],
      [{ of: '2' }, Number.NEGATIVE_INFINITY],
      [{ of: '3' }, Number.NaN],
      [{ of: '4' }, 1e21],
    ]),
  ]
  t.equal(
    expositionText(families),
    `# HELP a_bytes How "much"\\\\more,\\nand why.
# TYPE a_bytes gauge
a_bytes 1
a_bytes{group="web",volume="a\\\\b\\"c␊d"} 2.5
a_bytes{group="on"} 1
# HELP c_seconds Times.
# TYPE c_seconds histogram
c_seconds_bucket{le="0.1"} 3
c_seconds_bucket{le="1"} 4
c_seconds_bucket{le="+Inf"} 5
c_seconds_sum 7.65
c_seconds_count 5
c_seconds_bucket{group="web",le="+Inf"} 0
c_seconds_sum{group="web"} 0
c_seconds_count{group="web"} 0
# HELP d Numbers.
# TYPE d gauge
d{of="1"} +Inf
d{of="2"} -Inf
d{of="3"} NaN
d{of="4"} 1e+21
`,
  )
})

t.test('what others say is cut, and none of it comes twice', async t => {
  const long = 'x'.repeat(10_000)
  const [family] = parseExposition(
    expositionText([
      gauge('a', 'Help.', [
        [{ disk: `${long}1` }, 1],
        [{ disk: `${long}2` }, 2],
        [{ disk: '\x1b[31m' }, 3],
      ]),
    ]),
  )
  t.strictSame(
    family!.samples.map(({ labels: { disk }, value }) => [disk, value]),
    [
      ['x'.repeat(200), 1],
      ['␛[31m', 3],
    ],
  )
})

const text = fc.string({ unit: 'binary', maxLength: 100 })
const samples = fc.array(fc.tuple(fc.dictionary(fc.constantFrom('group', 'volume', 'le_'), text), fc.double()))

t.test('whatever is in a label or a help, a scraper reads just that', async t => {
  holds(
    t,
    fc.property(text, samples, (help, samples) => {
      const family: Family = gauge('xenlight_a', help, samples)
      const text = expositionText([family])
      const [read, ...more] = parseExposition(text)
      assert.equal(more.length, 0)
      if (samples.length === 0) return assert.equal(text, '')
      assert.equal(read!.help, help)
      const wanted = new Map<string, number>()
      for (const [labels, value] of samples) {
        const key = JSON.stringify(Object.entries(labels).map(([name, value]) => [name, printable(value)]))
        if (!wanted.has(key)) wanted.set(key, value)
      }
      const found = read!.samples.map(({ labels, value }) => [JSON.stringify(Object.entries(labels)), value] as const)
      assert.deepEqual(new Map(found), wanted)
    }),
  )
})

t.test('a histogram has all that it observed, each in its bucket', async t => {
  const bounds = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }).map(all => all.sort((a, b) => a - b))
  holds(
    t,
    fc.property(bounds, fc.array(fc.integer({ min: 0, max: 30 })), (bounds, times) => {
      const observed = new Histogram(bounds)
      for (const time of times) observed.observe(time)
      const [read] = parseExposition(expositionText([histogram('a_seconds', 'Help.', [[{ group: 'g' }, observed]])]))
      const of = (ending: string) => read!.samples.filter(({ name }) => name === `a_seconds_${ending}`)
      assert.deepEqual(
        of('bucket').map(({ labels: { le }, value }) => [le, value]),
        [...bounds, Number.POSITIVE_INFINITY].map(bound => [
          bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound),
          times.filter(time => time <= bound).length,
        ]),
      )
      assert.equal(of('count')[0]!.value, times.length)
      assert.equal(
        of('sum')[0]!.value,
        times.reduce((sum, time) => sum + time, 0),
      )
      assert.equal(observed.count, times.length)
    }),
  )
})
