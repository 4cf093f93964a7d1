import fc from 'fast-check'
import t from 'tap'
import { nextPromotion } from '#xenlight/cluster/next-promotion.js'

const place = fc.integer({ min: 1, max: 999 })
const last = fc.nat(2 ** 40)

t.test('it is greater than the last one, and never that of another node', async t => {
  fc.assert(
    fc.property(last, last, place, place, (first, second, one, other) => {
      const number = nextPromotion(first, one)
      return number > first && (one === other || number !== nextPromotion(second, other))
    }),
  )
  t.equal(nextPromotion(2001, 2), 3002, 'the third promotion, by the second node')
})
