import t from 'tap'
import { EpochFence } from 'xenlight/lease'

t.test('an epoch that is over does not come back', async t => {
  const fence = new EpochFence(4)
  t.throws(() => fence.admit(3), { name: 'LeaseError', code: 'fenced', message: 'epoch 3 is over: 4 has been here' })
  t.equal(fence.admit(4), false)
  t.equal(fence.admit(6), true)
  t.equal(fence.admit(6), false)
  t.throws(() => fence.admit(5), { code: 'fenced' })
  t.equal(fence.highest, 6)
  for (const epoch of [0, -1, 1.5, Number.NaN, '7', undefined]) t.throws(() => fence.admit(epoch as number))
  t.equal(fence.highest, 6)
  t.throws(() => new EpochFence(-1), RangeError)
})
