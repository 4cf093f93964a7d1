import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { decodePage, encodePage, pageBlocks } from '#xenlight/keep/bitmap-page.js'
import { decodeSlot, encodeSlot } from '#xenlight/keep/record-slot.js'
import { decodeHeader, encodeRecord, isDataWhole, type LogEntry } from '#xenlight/protocol-d/keep/log-record.js'
import type { MetaRecord } from '#xenlight/protocol-d/keep/meta-record.js'

const number = fc.maxSafeNat()
const word = fc.nat(0xffffffff)
const names = fc.array(fc.stringMatching(/^\w{0,64}$/), { maxLength: 16 })
const plain = { noNullPrototype: true }
const records: fc.Arbitrary<MetaRecord> = fc.record(
  {
    ...{ pair: fc.string({ maxLength: 256 }), size: number, blockSize: number, extentBlocks: number, logSize: number },
    disk: fc.constantFrom('inconsistent', 'outdated', 'consistent'),
    generations: fc.record({ current: fc.stringMatching(/^\w{0,64}$/), bases: names, history: names }, plain),
    role: fc.constantFrom('primary', 'secondary'),
    mode: fc.constantFrom('direct', 'checkpoints'),
    checkpoint: number,
    promotion: number,
    isVolatile: fc.boolean(),
    log: fc.record({ id: word, head: number, sequence: number, previous: word }, plain),
    // as many as a node has, of a disk of 4 TiB
    activity: fc.array(fc.nat(1 << 20), { maxLength: 1237 }),
  },
  plain,
)
const entries: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.record({ kind: fc.constant('write'), offset: number, data: fc.uint8Array({ minLength: 1, maxLength: 2000 }) }),
  fc.record({ kind: fc.constant('zero'), offset: number, length: number }),
  fc.record({ kind: fc.constant('commit'), checkpoint: number }),
  fc.record({ kind: fc.constant('wrap') }),
) as fc.Arbitrary<LogEntry>

/** With one byte changed. */
function spoilt(bytes: Uint8Array, at: number, by: number): Uint8Array {
  const copy = Buffer.from(bytes)
  copy[at % copy.length]! ^= by
  return copy
}
const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))

t.test('a slot of the record comes out as it went in, or not at all', t => {
  fc.assert(
    fc.property(records, number, change, (record, turn, [at, by]) => {
      const slot = encodeSlot(record, turn)
      t.strictSame(decodeSlot(slot), { record, turn })
      return decodeSlot(spoilt(slot, at, by)) === undefined && decodeSlot(slot.subarray(0, -1)) === undefined
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('a page of the bitmap comes out as it went in, at its own place, or not at all', t => {
  const pages = fc.uint8Array({ minLength: pageBlocks / 8, maxLength: pageBlocks / 8 })
  fc.assert(
    fc.property(fc.nat(1 << 20), pages, change, (index, bits, [at, by]) => {
      const page = encodePage(index, bits)
      t.strictSame(new Uint8Array(decodePage(index, page)!), bits)
      return decodePage(index, spoilt(page, at, by)) === undefined && decodePage(index + 1, page) === undefined
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('a record of the log comes out as it went in, or not at all', t => {
  fc.assert(
    fc.property(entries, word, number, word, change, (entry, id, sequence, previous, [at, by]) => {
      const header = encodeRecord(entry, { id, sequence, previous })
      const read = decodeHeader(header)
      t.match(read, { kind: entry.kind, id, sequence, previous })
      if (entry.kind !== 'write') return decodeHeader(spoilt(header, at, by)) === undefined
      const { data } = entry
      t.ok(isDataWhole(read!, data))
      return !isDataWhole(read!, spoilt(data, at, by)) && !isDataWhole(read!, data.subarray(1))
    }),
    { numRuns: 300 },
  )
  t.end()
})
