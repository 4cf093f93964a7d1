import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type DiskRecord, parseRecord, type RecordedState } from 'xenlight/colo'
import { formatRecord } from '#xenlight/colo/records/disk-record.js'

const states: readonly RecordedState[] = [
  ...(['alone', 'replicated', 'syncing', 'replicating', 'outdated', 'failing-over'] as const),
]
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '"\n'))
const epoch = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(2 ** 31 - 1, 2 ** 31 - 2))
const record: fc.Arbitrary<DiskRecord> = fc.record(
  {
    ...{ disk: text, epoch, state: fc.constantFrom(...states), why: text, at: text },
    ...{
      since: epoch.map(epoch => `colo-${epoch}-01234567`),
      overlays: fc.record({ active: text, hidden: text }, { noNullPrototype: true }),
      failing: text,
    },
  },
  { requiredKeys: ['disk', 'epoch', 'state', 'why', 'at'], noNullPrototype: true },
)

t.test('what is written is read back', async () => {
  fc.assert(
    fc.property(record, record => {
      const text = formatRecord(record)
      assert.deepStrictEqual(parseRecord(text), record)
      assert.equal(text.indexOf('\n'), text.length - 1, 'one line')
    }),
    { numRuns: 2000 },
  )
})

t.test('a part of a record is none', async () => {
  fc.assert(
    fc.property(record, fc.nat(), (record, length) => {
      const text = formatRecord(record).trimEnd()
      assert.equal(parseRecord(text.slice(0, length % text.length)), undefined)
    }),
  )
})

t.test('garbage is no record, and no error', async () => {
  fc.assert(fc.property(text, text => assert.equal(parseRecord(text), undefined)))
  fc.assert(
    fc.property(fc.json(), text => assert.equal(parseRecord(text), undefined)),
    { numRuns: 2000 },
  )
})

const right = {
  ...{ version: 1, disk: 'a', epoch: 1, state: 'alone', why: 'w', at: 't', since: 'colo-1-01234567', failing: 'f' },
  overlays: { active: '/a', hidden: '/h' },
}

t.test('a field that is another thing is not guessed', async t => {
  const { version: _, ...record } = right
  t.strictSame(parseRecord(JSON.stringify({ ...right, more: 7 })), record, 'what else is there is left')
  const wrong: Record<keyof typeof right, readonly unknown[]> = {
    version: [undefined, null, 0, 2, '1', true],
    disk: [undefined, null, 7, []],
    epoch: [undefined, null, '1', -1, 1.5, 2 ** 31],
    state: [undefined, null, 'Alone', '', 'constructor', 7, ['alone']],
    why: [undefined, null, 7],
    at: [undefined, null, 7],
    failing: [null, 1, {}],
    since: [null, 1, '1', '', 'colo-', 'colo-1-copy', 'colo-1-0123456', ' colo-1', {}],
    overlays: [null, 7, '/a', [], {}, { active: '/a' }, { hidden: '/h' }, { active: '/a', hidden: null }],
  }
  for (const [field, values] of Object.entries(wrong))
    for (const value of values)
      t.equal(parseRecord(JSON.stringify({ ...right, [field]: value })), undefined, `${field}: ${String(value)}`)
})
