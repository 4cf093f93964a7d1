import t from 'tap'
import { HubPage } from '#xenlight/page/hub-page.js'
import { hubGroup, hubStatus } from '../metrics/samples.js'
import { busyHub, hostile } from './shown.js'

const now = Date.UTC(2026, 10, 28, 12)
const us = now * 1000
const heard = us - 300_000
const fresh = { heard, busy: undefined }
const none = { pointsOf: () => [] }
const pageOf = () => new HubPage({ target: 5000 })
type Groups = Parameters<typeof hubStatus>[0]
const viewOf = (groups: Groups, group?: string) => pageOf().view({ status: hubStatus(groups), now, group, ...none })

t.test('a hub without groups', t => {
  t.match(viewOf([]), {
    kind: 'hub',
    title: 'hub hub',
    level: 'good',
    summary: 'No groups yet',
    groups: [],
    selected: null,
  })
  t.end()
})

t.test('groups that are well', t => {
  t.match(viewOf([hubGroup(fresh)]), { level: 'good', summary: 'The group is protected', groups: [{ behind: 300 }] })
  const two = viewOf([hubGroup(fresh), hubGroup({ ...fresh, name: 'mail' })])
  t.match(two, { summary: 'All 2 groups are protected', counts: { protected: 2 } })
  t.end()
})

t.test('what matters most comes first', t => {
  const view = pageOf().view({ status: busyHub(now), now, ...none })
  t.match(view, { level: 'bad', summary: '2 groups of 10 are not protected' })
  t.strictSame(
    view.groups.slice(0, 5).map(({ name, level }) => [name, level]),
    [
      ...[
        [hostile, 'bad'],
        ['mail', 'bad'],
        ['files', 'warn'],
        ['build', 'busy'],
        ['web', 'good'],
      ],
    ],
  )
  t.match(view.groups[0], { state: 'closed', why: /cannot be opened \(damaged\)/, behind: null })
  t.match(view.groups[1], { why: 'bert does not send it', behind: 37 * 60_000 })
  t.match(view.groups[2], { behind: null }, 'of a group that was failed over there is no such thing')
  t.match(view.groups[3], { why: 'not a moment of its disks now: the first copy is under way' })
  t.equal(view.selected?.name, 'mail', 'one that can be opened')
  t.end()
})

t.test('a group is looked at by its name', t => {
  const status = busyHub(now)
  const pointsOf = (group: string) => [
    { position: 1, time: us, name: `of ${group}` },
    { position: 2, time: us },
  ]
  const { selected } = pageOf().view({ status, now, group: 'web', pointsOf })
  t.match(selected, { name: 'web', agent: 'anna', lag: 180_224, busy: null, takeOver: null, series: null })
  t.match(selected?.limits, { imageBytes: null, journalBytes: 10 * 2 ** 30 })
  t.match(selected?.volumes, [{ name: 'root', state: 'protected' }, { name: 'data' }])
  t.match(selected?.branchList, [{ name: 'nightly-check', kind: 'test', by: 'anna', lost: null }])
  t.strictSame(selected?.line.points, [{ name: 'of web', time: us }])
  t.equal(selected?.line.ranges.length, 2)
  const files = pageOf().view({ status, now, group: 'files', ...none })
  t.match(files.selected, { busy: { what: 'fail-back', waits: null }, takeOver: "fail-over by the hub's user" })
  t.equal(pageOf().view({ status, now, group: hostile, ...none }).selected, null, 'one that cannot be opened')
  t.end()
})

t.test('what an agent said that has gone is not said to be so', t => {
  const status = { ...busyHub(now), agents: [] }
  t.equal(pageOf().view({ status, now, group: 'web', ...none }).selected?.volumes[0]?.state, '')
  t.end()
})

t.test('one that is protected, and far behind, wants a look', t => {
  const late = viewOf([hubGroup({ ...fresh, heard: us - 6_000_000 })])
  t.match(late, { level: 'warn', summary: '1 group of 1 wants a look', groups: [{ behind: 6000, level: 'warn' }] })
  t.match(viewOf([hubGroup({ ...fresh, problem: 'EIO' })]), { level: 'bad', groups: [{ why: 'EIO' }] })
  t.match(viewOf([hubGroup({ ...fresh, heard: us + 9_000_000 })]).groups[0], { behind: 0 }, 'a clock that is ahead')
  t.end()
})

t.test('a hub that was taken over says so', t => {
  const status = hubStatus([hubGroup(fresh)], { problem: 'hub b has taken over' })
  t.match(pageOf().view({ status, now, ...none }), { level: 'bad', summary: 'hub b has taken over' })
  t.end()
})

t.test('how far it was behind, and what happened, is kept for a while', t => {
  const page = pageOf()
  page.sample(hubStatus([hubGroup({ ...fresh, heard: us - 1_000_000 })]), now)
  page.sample(hubStatus([hubGroup({ ...fresh, heard: us - 1_000_000 })]), now + 4000)
  const gone = hubGroup({ ...fresh, state: 'disconnected', isAttached: false, newest: { position: 1, time: us } })
  page.sample(hubStatus([gone]), now + 6000)
  const view = page.view({ status: hubStatus([gone]), now: now + 6000, ...none })
  t.strictSame(view.selected?.series?.values, [1000, null, 5000, 6000])
  t.match(view.happened, [{ at: now + 6000, level: 'bad', text: 'web: disconnected (anna does not send it)' }])
  page.sample(hubStatus([]), now + 7000)
  t.equal(
    page.view({ status: hubStatus([gone]), now: now + 7000, ...none }).selected?.series,
    null,
    'not of one that is gone',
  )
  t.end()
})

t.test('of any number of groups, with any names, a view has its size', t => {
  const page = pageOf()
  const long = 'x'.repeat(10_000)
  const moment = (time: number) => ({ from: { position: time, time }, to: { position: time, time } })
  const groups = Array.from({ length: 3000 }, (_, index) =>
    hubGroup({
      ...{ ...fresh, name: `g${index}`, problem: long, agent: long },
      history: Array.from({ length: 1000 }, (_, time) => moment(time)),
    }),
  )
  const agents = Array.from({ length: 1000 }, () => long)
  const status = hubStatus(groups, { name: long, agents })
  page.sample(status, now)
  const points = Array.from({ length: 10_000 }, (_, time) => ({ position: time, time, name: long }))
  const view = page.view({ status, now, pointsOf: () => points })
  t.match(view, { more: 2800, counts: { protected: 3000 } })
  t.match(view.selected?.line, { more: 700 + 9700 })
  const { length } = JSON.stringify(view)
  t.ok(length < 300_000, `${length}`)
  t.end()
})
