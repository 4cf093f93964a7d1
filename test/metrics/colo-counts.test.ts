import t from 'tap'
import { ColoCounts } from '#xenlight/metrics/colo-counts.js'
import { sampleValue, statesOf } from './values.js'

const disk = 'disk0'

t.test('the states of a disk, and how far its copy is', async t => {
  const counts = new ColoCounts({ epoch: 4, every: 200 })
  const states = () => statesOf(counts.families(), 'xenlight_colo_disk_state', { disk })
  const left = (reason: string) =>
    sampleValue(counts.families(), 'xenlight_colo_resync_remaining_bytes', { disk, reason })
  t.strictSame(states().all, [], 'nothing is known yet')
  counts.event({ type: 'plan', disk, plan: { kind: 'full', why: 'w' } })
  counts.event({ type: 'progress', disk, current: 10, total: 100, secondsLeft: 1 })
  t.strictSame(states(), {
    all: [
      ...['protected', 'syncing', 'degraded', 'unprotected', 'outdated'],
      ...['failing-over', 'failed-over', 'unknown', 'inconsistent', 'fenced'],
    ],
    is: ['syncing'],
  })
  t.equal(left('full'), 90)
  counts.event({ type: 'progress', disk, current: 60, total: 100, secondsLeft: 1 })
  t.equal(left('full'), 40)
  t.equal(sampleValue(counts.families(), 'xenlight_colo_resync_total_bytes', { disk }), 100)
  for (const kind of ['degraded', 'fenced', 'unknown'] as const) {
    counts.event({ type: 'state', disk, state: { kind, why: 'w' } })
    t.strictSame(states().is, [kind])
    t.equal(left('full'), undefined)
  }
})

t.test('checkpoints, cuts, retries, the epoch', async t => {
  const counts = new ColoCounts({ epoch: 4, every: 200 })
  const of = (name: string, labels = {}) => sampleValue(counts.families(), `xenlight_colo_${name}`, labels)
  t.equal(of('epoch'), 4)
  t.equal(of('checkpoint_interval_seconds'), 0.2)
  t.equal(of('checkpoint_timestamp_seconds'), undefined)
  t.equal(of('yanks_total'), 0)
  counts.event({ type: 'checkpoint', checkpoint: { number: 1, at: new Date(5500) }, pause: 3 })
  counts.event({ type: 'checkpoint', checkpoint: { number: 2, at: new Date(6500) }, pause: 30 })
  counts.event({ type: 'cut', why: 'silent' })
  counts.event({ type: 'retry', why: 'silent', after: 500 })
  counts.event({ type: 'retry', why: 'silent', after: 1000 })
  t.equal(of('checkpoint_timestamp_seconds'), 6.5)
  t.equal(of('checkpoint_pause_seconds_count'), 2)
  t.equal(of('checkpoint_pause_seconds_bucket', { le: '0.005' }), 1)
  t.equal(of('yanks_total'), 1)
  t.equal(of('retries_total'), 2)
})
