import { Buffer } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { messageFraming } from '#xenlight/protocol-d/stream/message-codec.js'
import type { WireMessage } from '#xenlight/protocol-d/stream/wire-message.js'

const count = fc.maxSafeNat()
const checkpoint = fc.maxSafeNat().map(number => number % 2 ** 52)
const text = fc.string({ maxLength: 40 })
const bytes = fc.uint8Array({ minLength: 1, maxLength: 3000 })
const role = fc.constantFrom('primary' as const, 'secondary' as const)
const generation = fc.stringMatching(/^\w{0,64}$/)
const names = fc.array(generation, { maxLength: 16 })

const messages: fc.Arbitrary<WireMessage> = fc.oneof(
  fc.record({ kind: fc.constantFrom('write', 'copy'), sequence: count, offset: count, data: bytes }),
  fc.record({ kind: fc.constant('zero'), sequence: count, offset: count, length: count }),
  fc.record({
    kind: fc.constant('barrier'),
    sequence: count,
    checkpoint: count,
    mode: fc.constantFrom('direct', 'checkpoints'),
  }),
  fc.record({ kind: fc.constant('checkpointAck'), checkpoint: count }),
  fc.record({ kind: fc.constant('barrierAck'), sequence: count }),
  fc.record({ kind: fc.constantFrom('copiedAck', 'ping', 'writerRequest') }),
  fc.record({ kind: fc.constant('pong'), received: count, isFull: fc.boolean() }),
  fc.record({
    kind: fc.constant('differing'),
    runs: fc.array(fc.record({ first: count, count }), { maxLength: 50 }),
    isLast: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('begin'), generation }),
  fc.record({ kind: fc.constant('copied'), sequence: count, generation, checkpoint }),
  fc.record({ kind: fc.constant('role'), role }),
  fc.record({ kind: fc.constant('roleRequest'), two: fc.boolean(), promotion: fc.nat(2 ** 31 - 1) }),
  fc.record({ kind: fc.constantFrom('roleAnswer', 'writerAnswer'), refusal: text }),
  fc.record({
    kind: fc.constant('verdict'),
    verdict: fc.record({ kind: fc.constant('target'), isFull: fc.boolean() }),
  }),
  fc.record({
    kind: fc.constant('open'),
    session: text,
    channel: fc.constantFrom('data', 'meta'),
    pair: text,
    version: count,
  }),
  fc.record({
    kind: fc.constant('hello'),
    hello: fc.record({
      ...{ pair: text, size: count, blockSize: count, role, isWriter: fc.boolean(), generation },
      ...{
        bases: names,
        history: names,
        differs: fc.boolean(),
        isUnfinished: fc.boolean(),
        checkpoint,
        promotion: checkpoint,
      },
      ...{
        discards: fc.boolean(),
        afterSplitBrain: fc.constantFrom('disconnect', 'discard-secondary'),
        disk: fc.constantFrom('inconsistent', 'outdated', 'consistent'),
      },
    }),
  }),
) as fc.Arbitrary<WireMessage>

/** Without what tells apart a Buffer and a plain array. */
const plain = (message: WireMessage): unknown =>
  JSON.parse(JSON.stringify('data' in message ? { ...message, data: [...message.data] } : message))

t.test('what is sent comes out, however it is cut', t => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 500 })), (sent, cuts) => {
      const all = Buffer.concat(sent.map(message => messageFraming.encode(message)))
      const decoder = messageFraming.decoder()
      const taken: WireMessage[] = []
      let at = 0
      for (const cut of [...cuts, all.length]) {
        // the pieces are reused by whoever hands them in
        const piece = Buffer.from(all.subarray(at, at + cut))
        decoder.push(piece, message =>
          taken.push('data' in message ? { ...message, data: new Uint8Array(message.data) } : message),
        )
        piece.fill(0)
        at += cut
      }
      return isDeepStrictEqual(taken.map(plain), sent.map(plain))
    }),
    { numRuns: 500 },
  )
  t.pass('500 streams')
  t.end()
})

t.test('garbage is an error, and takes no memory', t => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.nat(255), (message, where, value) => {
      const bytes = Buffer.from(messageFraming.encode(message))
      bytes[where % Math.min(bytes.length, 24)] = value
      const decoder = messageFraming.decoder()
      try {
        decoder.push(bytes, () => {})
      } catch (error) {
        return (error as { code?: string }).code === 'EPROTO'
      }
      return decoder.unfinished <= bytes.length
    }),
    { numRuns: 2000 },
  )
  for (const hostile of [
    Buffer.alloc(24),
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    framed(7, 0xffff_ffff),
    framed(4, 20_000),
    framed(4, 5, Buffer.from('{"a":')),
    framed(4, 4, Buffer.from('null')),
    framed(6, 17, Buffer.alloc(17)),
  ])
    t.throws(
      () => messageFraming.decoder().push(hostile, () => {}),
      { code: 'EPROTO' },
      hostile.toString('hex').slice(0, 48),
    )
  t.end()
})

/** A frame with a header that says anything. */
function framed(kind: number, length: number, body = Buffer.alloc(0)): Buffer {
  const header = Buffer.from(messageFraming.encode({ kind: 'ping' }))
  header.writeUInt32LE(kind, 4)
  header.writeUInt32LE(length, 8)
  return Buffer.concat([header, body])
}
