import t from 'tap'
import { hubRecord, readHubRecord } from '#xenlight/replication/hub/hub-record.js'

const about = { name: 'vm', host: 'vm-1', listen: '10.0.0.1:7900', nbd: null }

t.test('what a catalogue has of a hub comes back as it was', async t => {
  const record = hubRecord(about, [{ name: 'web', state: 'protected' }])
  t.strictSame(record, { ...about, groups: { web: 'protected' }, cut: 0 })
  t.strictSame(readHubRecord(JSON.parse(JSON.stringify(record))), record)
})

t.test('a record has as many groups as it has room for', async t => {
  const groups = Array.from({ length: 5000 }, (_, number) => ({ name: `group-${number}`, state: 'disconnected' }))
  const record = hubRecord(about, groups)
  t.ok(Buffer.byteLength(JSON.stringify(record)) <= 64 * 1024)
  const kept = Object.keys(record.groups).length
  t.ok(kept > 1000)
  t.equal(kept + record.cut, groups.length)
})

t.test('what is no record of a hub is none', async t => {
  const good = { ...hubRecord(about, []), groups: { web: 'x' } }
  t.ok(readHubRecord(good))
  for (const wrong of [
    null,
    'hub',
    { ...good, name: 7 },
    { ...good, host: 'x'.repeat(513) },
    { ...good, listen: undefined },
    { ...good, groups: [] as unknown[] as object, cut: 'none' },
    { ...good, groups: { '../x': 'protected' } },
    { ...good, groups: { web: 1 } },
    { ...good, cut: 0.5 },
  ])
    t.equal(readHubRecord(wrong), undefined, JSON.stringify(wrong)?.slice(0, 80))
})
