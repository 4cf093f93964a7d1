import t from 'tap'
import { ActiveExtents } from '#xenlight/keep/active-extents.js'

const geometry = { size: 25 * 512, blockSize: 512, extentBlocks: 4, activeExtents: 3 }

t.test('blocks and their extents', t => {
  const active = new ActiveExtents(geometry, [])
  t.strictSame(active.extentsOf(3, 4), [0])
  t.strictSame(active.extentsOf(3, 9), [0, 1, 2])
  t.strictSame(active.blocksOf(1), { first: 4, count: 4 })
  t.strictSame(active.blocksOf(6), { first: 24, count: 1 }, 'the last one is shorter')
  t.end()
})

t.test('the one that was used longest ago makes room; never one that is being written', t => {
  const active = new ActiveExtents(geometry, [0, 1, 2])
  active.use([0])
  active.release([0])
  t.strictSame(active.toEvict(new Set([5])), [1])
  active.use([1])
  t.strictSame(active.toEvict(new Set([5])), [2])
  t.strictSame(active.toEvict(new Set([5, 6])), [2, 0])
  t.equal(active.toEvict(new Set([4, 5, 6])), undefined, 'there is no room for three')
  t.strictSame(active.toEvict(new Set([0, 2])), [], 'those are there')
  active.remove([2])
  t.strictSame(active.all, [0, 1])
  t.strictSame(active.idle, [0])
  t.end()
})

t.test('two writes to one extent: it is idle after both', t => {
  const active = new ActiveExtents(geometry, [])
  active.use([3])
  active.use([3])
  active.release([3])
  t.strictSame(active.idle, [])
  active.release([3])
  t.strictSame(active.idle, [3])
  t.end()
})

t.test('where one has to go, others go with it that are not being written', t => {
  const active = new ActiveExtents({ ...geometry, roomAhead: 1 }, [0, 1, 2])
  t.strictSame(active.toEvict(new Set([0])), [])
  t.strictSame(active.toEvict(new Set([5])), [0, 1])
  active.use([1])
  t.strictSame(active.toEvict(new Set([5])), [0, 2])
  t.end()
})

t.test('the one that was asked for last is not the one that has to go', t => {
  const active = new ActiveExtents(geometry, [0, 1, 2])
  t.ok(active.isActive(0, 8))
  t.strictSame(active.toEvict(new Set([5])), [2])
  t.ok(active.isActive(11, 12))
  t.strictSame(active.toEvict(new Set([5])), [0])
  t.notOk(active.isActive(11, 13))
  t.end()
})
