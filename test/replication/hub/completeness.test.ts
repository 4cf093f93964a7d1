import t from 'tap'
import { Completeness } from '#xenlight/replication/hub/completeness.js'

const volumes = [
  { number: 0, name: 'root', size: 1 },
  { number: 1, name: 'data', size: 1 },
]
const said = (...seconds: unknown[]) =>
  seconds.map((each, index) => ({
    group: 'web',
    volume: volumes[index]!.name,
    state: 'protected',
    lag: { bytes: 0, seconds: each },
  }))

t.test(
  'the hub had everything until the oldest write that it lacks, counted from when the agent can have said so',
  async t => {
    const completeness = new Completeness()
    t.equal(completeness.secondsSince(99_000), undefined, 'nobody has said anything')
    completeness.reported(volumes, said(0, 2), 10_000)
    t.equal(completeness.secondsSince(10_000), 2)
    t.equal(completeness.secondsSince(15_000), 7)
    completeness.reported(volumes, said(9, 0), 12_000)
    t.equal(completeness.secondsSince(15_000), 7, 'what was known is known still')
    completeness.reported(volumes, said(0, 0), 14_000)
    t.equal(completeness.secondsSince(15_000), 1)
  },
)

t.test('what is not plain says nothing', async t => {
  for (const [what, report, since] of [
    ['not all volumes', said(0), 10_000],
    ['no time', said(0, 0), undefined],
    ['no number', said(0, 'none'), 10_000],
    ['a number that is none', said(0, Number.NaN), 10_000],
    ['a negative one', said(0, -5), 10_000],
    ['no lag', [...said(0), { group: 'web', volume: 'data', state: 'protected' }], 10_000],
    ['another state', [...said(0), { group: 'web', volume: 'data', state: 'degraded', lag: { seconds: 0 } }], 10_000],
  ] as const) {
    const completeness = new Completeness()
    completeness.reported(volumes, report, since)
    t.equal(completeness.secondsSince(20_000), undefined, what)
  }
  const empty = new Completeness()
  empty.reported([], [], 1)
  t.equal(empty.secondsSince(2), undefined, 'no volumes')
})
