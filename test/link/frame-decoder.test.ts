import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FrameDecoder, type FrameShape } from '#xenlight/link/frame-decoder.js'
import { LineDecoder } from '#xenlight/link/line-decoder.js'
import { holds } from '../support/holds.js'

/** A byte that says how many follow. */
const counted: FrameShape<number[]> = {
  headerSize: 1,
  frameSize: (bytes, at) => 1 + bytes[at]!,
  decode: (bytes, start, end) => [...bytes.subarray(start + 1, end)],
}

const body = fc.array(fc.nat(255), { maxLength: 20 })
const cuts = fc.array(fc.nat(400), { maxLength: 30 })

/** Cut at these places, each piece in one buffer that is used again. */
function* pieces(bytes: readonly number[], at: readonly number[]): Generator<Uint8Array> {
  const places = [...new Set([0, ...at.map(place => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  const reused = new Uint8Array(bytes.length)
  for (const [index, start] of places.slice(0, -1).entries()) {
    const piece = bytes.slice(start, places[index + 1])
    reused.set(piece)
    yield reused.subarray(0, piece.length)
    reused.fill(0xff)
  }
}

t.test('frames come out whole, wherever the bytes are cut', async t => {
  holds(
    t,
    fc.property(fc.array(body, { maxLength: 12 }), body, cuts, (frames, rest, cuts) => {
      const unfinished = rest.length === 0 ? [] : [rest.length + 1, ...rest]
      const bytes = [...frames.flatMap(frame => [frame.length, ...frame]), ...unfinished]
      const decoder = new FrameDecoder(counted)
      const taken: number[][] = []
      for (const piece of pieces(bytes, cuts)) decoder.push(piece, frame => taken.push(frame))
      assert.deepEqual(taken, frames)
      assert.equal(decoder.unfinished, unfinished.length)
    }),
  )
})

t.test('lines come out whole, wherever the bytes are cut', async t => {
  const line = fc.array(
    fc.nat(255).filter(byte => byte !== 10),
    { maxLength: 20 },
  )
  holds(
    t,
    fc.property(fc.array(line, { maxLength: 12 }), line, cuts, (lines, rest, cuts) => {
      const bytes = [...lines.flatMap(line => [...line, 10]), ...rest]
      const decoder = new LineDecoder()
      const taken: number[][] = []
      for (const piece of pieces(bytes, cuts)) decoder.push(piece, line => taken.push([...line]))
      assert.deepEqual(taken, lines)
      assert.equal(decoder.unfinished, rest.length)
    }),
  )
  const decoder = new LineDecoder(10)
  decoder.push(new Uint8Array(10), () => {})
  t.throws(() => decoder.push(new Uint8Array(1), () => {}), { name: 'LinkError', code: 'EPROTO' })
})

t.test('a frame whose header does not say its length is read with its request at hand', async t => {
  const lengths = new Map([
    [1, 3],
    [2, 0],
    [3, 1],
  ])
  const decoder = new FrameDecoder<string>({
    headerSize: 1,
    frameSize: (bytes, at) => 1 + lengths.get(bytes[at]!)!,
    decode: (bytes, start, end) => [...bytes.subarray(start, end)].join(' '),
  })
  const taken: string[] = []
  for (const byte of [2, 1, 7, 7, 7, 3, 9]) decoder.push(Uint8Array.of(byte), frame => taken.push(frame))
  t.strictSame(taken, ['2', '1 7 7 7', '3 9'])
})

t.test('a frame of megabytes is joined once', async t => {
  const size = 32 * 1024 * 1024
  const decoder = new FrameDecoder<number>({
    headerSize: 1,
    frameSize: () => size,
    decode: (bytes, start, end, isOwn) => (isOwn ? bytes.subarray(start, end).length : -1),
  })
  const taken: number[] = []
  const piece = new Uint8Array(4096)
  // joined for every piece, this would copy 130 GB
  for (let sent = 0; sent < size; sent += piece.length) decoder.push(piece, length => taken.push(length))
  t.strictSame(taken, [size])
  t.equal(decoder.unfinished, 0)
})
