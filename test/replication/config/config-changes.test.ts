import t from 'tap'
import { changedSettings, groupChanges } from '#xenlight/replication/config/config-changes.js'

t.test('which groups are new, gone and other ones, whatever their order is', async t => {
  const a = { disks: { root: { image: '/a', format: 'raw' }, data: { image: '/b', format: 'raw' } } }
  const same = { disks: { data: { format: 'raw', image: '/b' }, root: { format: 'raw', image: '/a' } } }
  const other = { disks: { root: { image: '/a', format: 'qcow2' } } }
  t.strictSame(groupChanges({ a, b: a, c: a }, { d: a, c: other, a: same }), {
    added: ['d'],
    removed: ['b'],
    changed: ['c'],
  })
  t.strictSame(groupChanges({}, {}), { added: [], removed: [], changed: [] })
  t.strictSame(groupChanges({}, { constructor: a }).added, ['constructor'])
})

t.test('which settings differ', async t => {
  const before = {
    name: 'hub',
    listen: { host: 'a', port: 1 },
    nbd: undefined as { path: string } | undefined,
    data: '/x',
  }
  const after = { name: 'hub', listen: { host: 'a', port: 2 }, nbd: { path: '/n' }, data: '/y' }
  t.strictSame(changedSettings(before, after, ['name', 'listen', 'nbd']), ['listen', 'nbd'])
})
