import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decodeText, encodeText, fromByteString, toByteString } from '#xenlight/byte-text.js'
import { holds } from './support/holds.js'

t.test('any bytes survive the round trip', async t => {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0xe2, 0x82, 0xac, 0xff, 0xed, 0xa0, 0x80, 0xf0, 0xc3),
  )
  holds(
    t,
    fc.property(fc.array(byte, { maxLength: 12 }), bytes => {
      assert.deepEqual([...encodeText(decodeText(Uint8Array.from(bytes)))], bytes)
    }),
    { numRuns: 3000 },
  )
})

t.test('text is UTF-8, and a byte string has one character a byte', async t => {
  holds(
    t,
    fc.property(fc.string({ unit: 'binary' }), text => {
      assert.equal(decodeText(encodeText(text)), text.toWellFormed())
      assert.equal(toByteString(text).length, Buffer.byteLength(text))
      assert.equal(fromByteString(toByteString(text)), text.toWellFormed())
    }),
  )
})

t.test('a byte that is no text stands as a surrogate of its own', async t => {
  t.equal(decodeText(Uint8Array.of(0x41, 0xff, 0xc3, 0xa9, 0xc3)), 'A\udcffé\udcc3')
})
