import fc from 'fast-check'
import t from 'tap'
import { BlockSet } from '#xenlight/keep/block-set.js'

t.test('the bits of some blocks come out as bytes, wherever those begin', t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.nat(299)),
      fc.nat(299),
      fc.nat(400),
      (blocks, all, first, count) => {
        const set = new BlockSet(blocks)
        for (const block of all) if (block < blocks) set.add(block)
        // whole words are copied, other parts are not
        for (const [from, most] of [
          [first, count],
          [first & ~31, count & ~31],
        ] as const) {
          const bytes = set.bytes(from, most)
          t.equal(bytes.length, Math.ceil(most / 8))
          for (let at = 0; at < bytes.length * 8; at++) {
            const isSet = (bytes[at >>> 3]! & (1 << (at & 7))) !== 0
            const block = from + at
            if (isSet !== (at < most && block < blocks && set.has(block))) return false
          }
        }
        return true
      },
    ),
  )
  t.end()
})
