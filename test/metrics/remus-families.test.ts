import t from 'tap'
import { remusFamilies } from '#xenlight/metrics/remus-families.js'
import { DiskCounts } from '#xenlight/protocol-d/node/disk-counts.js'
import { servedStatus } from './samples.js'
import { sampleValue, statesOf } from './values.js'

const labels = { disk: 'disk' }
const of = (more: Parameters<typeof servedStatus>[0], counts = new DiskCounts()) =>
  remusFamilies('disk', servedStatus(more), counts)

t.test('how a node and its peer stand', async t => {
  const all = ['connected', 'source', 'target', 'undecided', 'refused', 'greeting', 'disconnected']
  const cases = [
    [{ connection: 'none' }, 'disconnected'],
    [{ connection: 'hello' }, 'greeting'],
    [{ connection: 'equal' }, 'connected'],
    [{ connection: 'source-starting' }, 'source'],
    [{ connection: 'source' }, 'source'],
    [{ connection: 'target-starting' }, 'target'],
    [{ connection: 'target' }, 'target'],
    [{ connection: 'undecided' }, 'undecided'],
    [{ connection: 'refused' }, 'refused'],
    [{ connection: 'none', isRefused: true }, 'refused'],
  ] as const
  for (const [status, is] of cases)
    t.strictSame(
      statesOf(of(status), 'xenlight_remus_connection_state', labels),
      { all, is: [is] },
      JSON.stringify(status),
    )
})

t.test('what its data is', async t => {
  for (const disk of ['consistent', 'inconsistent', 'outdated'] as const)
    t.strictSame(statesOf(of({ disk }), 'xenlight_remus_data_state', labels).is, [disk])
})

t.test('all else that it says', async t => {
  const families = of({ isCongested: true, isFull: true, failure: 'a file' })
  const value = (name: string, more = {}) => sampleValue(families, `xenlight_remus_${name}`, { ...labels, ...more })
  t.equal(value('role', { role: 'primary' }), 1)
  t.equal(value('role', { role: 'secondary' }), 0)
  t.strictSame(
    ['differing_bytes', 'resync_remaining_bytes', 'open_epoch_bytes', 'unacknowledged_writes', 'unsent_bytes'].map(
      name => value(name),
    ),
    [1, 2, 3, 4, 5],
  )
  for (const name of ['writer', 'failed', 'congested', 'log_full', 'checkpointing', 'clients'])
    t.equal(value(name), 1, name)
  t.equal(value('checkpoint_number'), 7)
  t.equal(value('size_bytes'), 4096)
  const direct = of({ mode: 'direct', isWriter: false })
  for (const name of ['writer', 'failed', 'congested', 'log_full', 'checkpointing'])
    t.equal(sampleValue(direct, `xenlight_remus_${name}`, labels), 0, name)
})

t.test('checkpoints are counted when the peer has them, each once', async t => {
  const counts = new DiskCounts()
  const seen = () => [
    sampleValue(of({}, counts), 'xenlight_remus_checkpoint_duration_seconds_count', labels),
    sampleValue(of({}, counts), 'xenlight_remus_checkpoint_timestamp_seconds', labels) !== undefined,
  ]
  const acknowledged = counts.sent(3)
  t.strictSame(seen(), [0, false])
  t.equal(counts.sent(3), undefined, 'asked for again')
  acknowledged!()
  t.strictSame(seen(), [1, true])
  counts.failedOver()
  t.equal(sampleValue(of({}, counts), 'xenlight_remus_fail_overs_total', labels), 1)
})

t.test('of a node under a lease, whether it has it', async t => {
  const lease = { name: 'web', node: 'anna', holder: 'anna', epoch: 3, why: '' }
  const held = (state: 'held' | 'lost' | 'waits') =>
    sampleValue(of({ lease: { ...lease, state } }), 'xenlight_remus_lease_held', labels)
  t.strictSame([held('held'), held('lost'), held('waits')], [1, 0, 0])
  t.equal(sampleValue(of({}), 'xenlight_remus_lease_held', labels), undefined, 'of another one nothing is said')
})
