import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MemoryBackend } from 'xenlight/nbd'
import { holds } from '../support/holds.js'
import { keptBuffers } from '../support/kept-memory.js'

const kibibyte = 1024
const page = 64 * kibibyte
const gibibyte = 1024 ** 3

t.test('a status says of each page whether something was written there', t => {
  // in units of half a page, over more than two groups of pages
  const units = 2 * 2500
  const place = fc.tuple(
    fc.oneof(fc.nat(units - 1), fc.constantFrom(0, 2046, 2047, 2048, 4094, 4095, 4096)),
    fc.integer({ min: 1, max: 8 }).chain(few => fc.constantFrom(few, few * 300)),
  )
  const change = fc.tuple(place, fc.constantFrom('write', 'zero', 'fill'))
  holds(
    t,
    fc.property(fc.array(change, { maxLength: 6 }), changes => {
      const backend = new MemoryBackend((units * page) / 2)
      const isThere = new Array<boolean>(units / 2).fill(false)
      const contents = new Array<number>(units).fill(0)
      for (const [[from, most], what] of changes) {
        const to = Math.min(units, from + most, what === 'write' ? from + 16 : units)
        const [offset, length] = [(from * page) / 2, ((to - from) * page) / 2]
        if (what === 'write') backend.write(offset, Buffer.alloc(length, 1))
        else backend.writeZeroes(offset, length, { mayTrim: what === 'zero' })
        contents.fill(what === 'write' ? 1 : 0, from, to)
        if (what !== 'zero') isThere.fill(true, Math.floor(from / 2), Math.ceil(to / 2))
        else isThere.fill(false, Math.ceil(from / 2), Math.max(Math.ceil(from / 2), Math.floor(to / 2)))
      }
      for (const [index, is] of contents.entries()) {
        const bytes = backend.read((index * page) / 2, page / 2)
        assert.ok(bytes[0] === is && bytes.at(-1) === is, `unit ${index}`)
      }
      let at = 0
      while (at < backend.size)
        for (const { length, hole, zero } of backend.blockStatus(at, backend.size - at)) {
          assert.equal(zero, hole)
          for (const end = at + length; at < end; at += page)
            assert.equal(isThere[at / page], !hole, `page ${at / page}`)
        }
      assert.equal(at, backend.size)
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('what is not there costs nothing, however long', t => {
  const backend = new MemoryBackend(2 ** 50)
  backend.write(2 ** 47, Buffer.of(1))
  t.strictSame(backend.blockStatus(0, 2 ** 48), [
    { length: 2 ** 47, hole: true, zero: true },
    { length: page, hole: false, zero: false },
    { length: 2 ** 47 - page, hole: true, zero: true },
  ])
  backend.writeZeroes(0, 2 ** 50)
  t.strictSame(backend.blockStatus(0, 2 ** 48), [{ length: 2 ** 48, hole: true, zero: true }])
  t.end()
})

t.test('zeroes that may be no holes take no memory before they are written', t => {
  const backend = new MemoryBackend(8 * gibibyte)
  const before = keptBuffers()
  backend.writeZeroes(0, 4 * gibibyte, { mayTrim: false })
  const more = keptBuffers() - before
  t.ok(more < gibibyte / 16, `${more} bytes more`)
  t.strictSame(backend.blockStatus(0, 8 * gibibyte), [
    { length: 4 * gibibyte, hole: false, zero: false },
    { length: 4 * gibibyte, hole: true, zero: true },
  ])
  backend.write(5, Buffer.of(7))
  backend.writeZeroes(page, 10)
  t.strictSame([...backend.read(4, 3)], [0, 7, 0])
  t.strictSame([...backend.read(page + 4, 3)], [0, 0, 0], 'no page is another')
  t.end()
})
