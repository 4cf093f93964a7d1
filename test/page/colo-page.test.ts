import t from 'tap'
import { ColoPage } from '#xenlight/page/colo-page.js'
import { primaryGraph } from './shown.js'

const now = Date.UTC(2026, 10, 28, 12)
const checkpoint = (number: number, at: number, pause: number) =>
  ({ type: 'checkpoint', checkpoint: { number, at: new Date(at) }, pause }) as const
const isProtected = { kind: 'protected', why: 'epoch 3', checkpoint: undefined } as const

const started = () => {
  const page = new ColoPage({ epoch: 3, every: 200 })
  page.event({ type: 'state', disk: 'disk0', state: isProtected }, now)
  page.event({ type: 'state', disk: 'disk1', state: isProtected }, now)
  page.seen('primary', { isRunning: true, graph: primaryGraph }, now)
  page.seen('secondary', { isRunning: false, graph: { nodes: [], edges: [] } }, now)
  return page
}

t.test('before anything is known', t => {
  const view = new ColoPage({ epoch: 3, every: 200 }).view(now)
  t.match(view, {
    kind: 'colo',
    epoch: 3,
    every: 200,
    level: 'busy',
    summary: 'The pair is being looked at',
    disks: [],
  })
  t.match(view, { checkpoint: null, primary: { graph: null, seenAt: null, text: 'not looked at yet' } })
  t.end()
})

t.test('a pair that is protected', t => {
  const page = started()
  page.event(checkpoint(1, now + 1000, 4), now + 1000)
  page.event(checkpoint(2, now + 1500, 6), now + 1500)
  const view = page.view(now + 2000)
  t.match(view, { level: 'good', summary: 'All 2 disks are protected', at: now + 2000 })
  t.match(view.disks, [
    { name: 'disk0', state: 'protected', level: 'good', why: 'epoch 3', since: now, copy: null },
    {},
  ])
  t.match(view.primary, { text: 'its guest runs', seenAt: now, graph: { rows: 4 } })
  t.match(view.secondary, { text: 'its guest stands still', level: 'good' })
  t.match(view, {
    checkpoint: { number: 2, at: now + 1500, pause: 6 },
    counts: { checkpoints: 2, cuts: 0, retries: 0 },
  })
  t.equal(
    view.pause.values.find(value => value !== null),
    6,
  )
  t.equal(
    view.behind.values.find(value => value !== null),
    500,
  )
  t.end()
})

t.test('what goes wrong is the first that is said', t => {
  const page = started()
  page.event({ type: 'state', disk: 'disk1', state: { kind: 'degraded', why: 'it fell silent' } }, now + 5)
  t.match(page.view(now), { level: 'bad', summary: 'disk1: degraded' })
  page.event({ type: 'state', disk: 'disk0', state: { kind: 'degraded', why: 'it fell silent' } }, now + 6)
  page.event({ type: 'cut', why: 'it fell silent' }, now + 7)
  page.event({ type: 'retry', why: 'no answer', after: 500 }, now + 8)
  const view = page.view(now + 10)
  t.match(view, { summary: 'disk0 and 1 more: degraded', counts: { cuts: 1, retries: 1 } })
  t.match(view.happened.slice(0, 2), [
    { at: now + 8, level: 'warn', text: 'not protected: no answer; tried again in 500 ms' },
    { at: now + 7, level: 'bad', text: 'the secondary was cut off: it fell silent' },
  ])
  t.end()
})

t.test('a copy and how far it is', t => {
  const page = started()
  page.event({ type: 'progress', disk: 'disk0', current: 5, total: 20, secondsLeft: 3 }, now)
  const { disks, level, summary } = page.view(now)
  t.match(disks[0], { state: 'syncing', level: 'busy', copy: { current: 5, total: 20, secondsLeft: 3 } })
  t.match({ level, summary }, { level: 'busy', summary: 'disk0: syncing' })
  t.end()
})

t.test('a side that does not answer: what was seen of it is as old as it is', t => {
  const page = started()
  page.seen('secondary', { error: new Error('it timed out\u202e') }, now + 3000)
  const { secondary, level, summary } = page.view(now + 3000)
  t.match(secondary, { level: 'bad', text: 'does not answer: it timed out\ufffd', seenAt: now })
  t.not(secondary.graph, null)
  t.match({ level, summary }, { level: 'bad', summary: 'The secondary does not answer' })
  t.end()
})

t.test('the newest checkpoint gets older, though nothing happens', t => {
  const page = started()
  page.event(checkpoint(1, now, 4), now)
  page.tick(now + 10_000)
  t.equal(page.view(now + 10_000).behind.values.at(-1), 10_000)
  t.end()
})

t.test('however much happens, and whatever the names: a view has its size', t => {
  const page = started()
  const long = 'x'.repeat(100_000)
  for (let n = 0; n < 5000; n++) {
    page.event({ type: 'state', disk: `${n}${long.slice(0, 5000)}`, state: { kind: 'unknown', why: long } }, now + n)
    page.event(checkpoint(n, now + n * 1000, n), now + n * 1000)
  }
  const { length } = JSON.stringify(page.view(now + 5_000_000))
  t.ok(length < 150_000, `${length}`)
  t.end()
})
