import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { longestSpec, specBlocks } from '#xenlight/cli/batch/spec-blocks.js'
import { holds } from '../../support/holds.js'

/** Reads like a pipe: as much as fits of one piece at a time. */
function reader(pieces: readonly Uint8Array[]): (buffer: Uint8Array) => number {
  const left = pieces.filter(piece => piece.length > 0)
  return buffer => {
    const piece = left.shift()
    if (piece === undefined) return 0
    const length = Math.min(piece.length, buffer.length)
    buffer.set(piece.subarray(0, length))
    if (length < piece.length) left.unshift(piece.subarray(length))
    return length
  }
}

const blocks = (pieces: readonly Uint8Array[]) => [...mapped(pieces)].map(({ kind, text }) => ({ kind, text }))

function* mapped(pieces: readonly Uint8Array[]) {
  for (const block of specBlocks(reader(pieces), 10)) {
    const bytes = block.kind === 'specs' ? block.bytes : block.head
    yield { kind: block.kind, text: bytes.toString('latin1') }
  }
}

t.test('blocks hold whole lines, and together all of the input', async t => {
  const piece = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(Uint8Array.of(10)))
  const whole = fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
    const found = blocks(pieces)
    for (const { text } of found.slice(0, -1)) assert.match(text, /\n$/)
    assert.equal(found.map(({ text }) => text).join(''), Buffer.concat(pieces).toString('latin1'))
  })
  holds(t, whole)
})

t.test('a read that ends a line is answered at once', async t => {
  const pieces = ['a\nb', 'c\n', 'd'].map(text => Buffer.from(text))
  t.strictSame(
    blocks(pieces).map(({ text }) => text),
    ['a\n', 'bc\n', 'd'],
  )
})

t.test('a line that is too long is told of once, and the next one is read', async t => {
  const long = Buffer.alloc(3 * longestSpec, 'x')
  const found = blocks([Buffer.from('a\n'), long, Buffer.from('tail\nb\n'), long])
  t.strictSame(
    found.map(({ kind, text }) => [kind, text.length > 10 ? 'long' : text]),
    [
      ['specs', 'a\n'],
      ['too-long', 'long'],
      ['specs', 'b\n'],
      ['too-long', 'long'],
    ],
  )
})
