import t from 'tap'
import { hubFamilies } from '#xenlight/metrics/hub-families.js'
import { hubGroup, hubStatus, takeOvers } from './samples.js'
import { sampleValue, statesOf } from './values.js'

const none = new Map<string, never>()
const all = [
  ...['empty', 'syncing', 'protected', 'disconnected', 'full', 'failed'],
  ...['failing-over', 'failed-over', 'rolling-back', 'committed', 'returning'],
] as const

t.test('each state is 1 while a group is in it, and all others are 0', async t => {
  for (const state of all) {
    const states = statesOf(hubFamilies(hubStatus([hubGroup({ state } as object)]), none), 'xenlight_hub_group_state', {
      group: 'web',
    })
    t.strictSame(states, { all: [...all], is: [state] }, state)
  }
})

t.test('times are in seconds, sizes in bytes', async t => {
  const families = hubFamilies(hubStatus([hubGroup()]), new Map([['web', takeOvers]]))
  const of = (name: string, labels = {}) =>
    sampleValue(families, `xenlight_hub_group_${name}`, { group: 'web', ...labels })
  t.equal(of('epoch'), 2)
  t.equal(of('term'), 3)
  t.equal(of('attached'), 1)
  t.equal(of('consistent'), 1)
  t.equal(of('newest_timestamp_seconds'), 90)
  t.equal(of('heard_timestamp_seconds'), 90.5)
  t.equal(of('undurable_bytes'), 77)
  t.equal(of('history_seconds'), 80)
  t.equal(of('history_target_seconds'), 86_400)
  t.strictSame(
    ['journal', 'image', 'overlay'].map(what => [of(`${what}_bytes`), of(`${what}_limit_bytes`)]),
    [
      [1, 11],
      [2, 12],
      [3, 13],
    ],
  )
  t.equal(of('fail_back_remaining_bytes'), 70)
  t.equal(of('take_overs_total', { kind: 'fail-over' }), 1)
  t.equal(of('take_overs_total', { kind: 'commit' }), 0)
  t.equal(of('take_overs_total', { kind: 'fail-back' }), 2)
  t.equal(sampleValue(families, 'xenlight_hub_agents'), 1)
  t.equal(sampleValue(families, 'xenlight_hub_taken_over'), 0)
})

t.test('a lease, where there is one', async t => {
  const lease = { name: 'copies', state: 'standing-by', holder: 'vm-1', epoch: 3, problem: undefined } as const
  const families = hubFamilies(hubStatus([], { lease }), none)
  const known = ['standing-by', 'opening', 'held', 'lost']
  t.strictSame(statesOf(families, 'xenlight_hub_lease_state', { lease: 'copies' }), { all: known, is: ['standing-by'] })
  t.equal(sampleValue(families, 'xenlight_hub_lease_epoch', { lease: 'copies' }), 3)
  const without = hubFamilies(hubStatus([]), none)
  t.equal(sampleValue(without, 'xenlight_hub_lease_epoch', { lease: 'copies' }), undefined)
})

t.test('what is not known is left out', async t => {
  const group = hubGroup({ newest: undefined, heard: undefined, busy: undefined, history: [], unsettled: 'first' })
  const families = hubFamilies(hubStatus([group]), none)
  for (const name of [
    'newest_timestamp_seconds',
    'heard_timestamp_seconds',
    'fail_back_remaining_bytes',
    'take_overs_total',
  ])
    t.equal(sampleValue(families, `xenlight_hub_group_${name}`), undefined, name)
  t.equal(sampleValue(families, 'xenlight_hub_group_history_seconds'), 0)
  t.equal(sampleValue(families, 'xenlight_hub_group_consistent'), 0)
})

t.test('what may be as large as it likes has no limit', async t => {
  const group = hubGroup()
  const limits = { ...group.limits, imageBytes: Number.MAX_SAFE_INTEGER }
  const families = hubFamilies(hubStatus([hubGroup({ limits })]), none)
  t.equal(sampleValue(families, 'xenlight_hub_group_image_limit_bytes'), undefined)
  t.equal(sampleValue(families, 'xenlight_hub_group_journal_limit_bytes'), 11)
})

t.test('a fail-back that waits for the guest has left what the guest wrote', async t => {
  const busy = { what: 'fail-back', done: 100, all: 100, waits: { clients: 1, left: 5 } }
  const families = hubFamilies(hubStatus([hubGroup({ busy })]), none)
  t.equal(sampleValue(families, 'xenlight_hub_group_fail_back_remaining_bytes', { group: 'web' }), 5)
})

t.test('branches, groups that cannot be opened, a hub that was taken over', async t => {
  const branch = {
    id: 1,
    state: 'ready',
    position: 1,
    pointTime: 1,
    made: 1,
    by: 'x',
    written: 0,
    exports: [],
  } as const
  const branches = [
    { ...branch, name: 'a', kind: 'test' },
    { ...branch, name: 'b', kind: 'test' },
    { ...branch, name: 'c', kind: 'fail-over' },
  ] as const
  const closed = [{ name: 'db', code: 'damaged', message: 'm' }]
  const families = hubFamilies(hubStatus([hubGroup({ branches })], { closed, problem: 'another' }), none)
  t.equal(sampleValue(families, 'xenlight_hub_group_branches', { kind: 'test' }), 2)
  t.equal(sampleValue(families, 'xenlight_hub_group_branches', { kind: 'fail-over' }), 1)
  t.equal(sampleValue(families, 'xenlight_hub_group_closed', { group: 'db', code: 'damaged' }), 1)
  t.equal(sampleValue(families, 'xenlight_hub_taken_over'), 1)
})

t.test('of more groups than 2000 the first have metrics, and all are counted', async t => {
  const groups = Array.from({ length: 2001 }, (_, index) => hubGroup({ name: `g${index}` }))
  const families = hubFamilies(hubStatus(groups), none)
  t.equal(sampleValue(families, 'xenlight_hub_groups'), 2001)
  const epochs = families.find(({ name }) => name === 'xenlight_hub_group_epoch')!
  t.equal(epochs.samples.length, 2000)
})
