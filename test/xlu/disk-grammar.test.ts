import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import peggy from 'peggy'
import t from 'tap'
import { type Parameter, parse } from '#xenlight/xlu/disk-grammar.js'
import { parametersOf } from '#xenlight/xlu/parameters-of.js'
import { holds } from '../support/holds.js'

const stock = peggy.generate(readFileSync('grammar/disk.peggy', 'utf8'))

const piece = fc.constantFrom(
  ...[
    'a',
    '/x',
    'raw',
    'raw:',
    'tap2:',
    'x:',
    'hdc:cdrom',
    '=',
    ',',
    ',',
    ':',
    ' ',
    '\t',
    '\n',
    '"',
    'é',
    '\u{1f4be}',
    '\udc80',
  ],
  ...['vdev=', 'format=qcow2', 'devtype=cdrom', 'devtype=x', 'target=', 'foo=', 'colo', 'colo-port=1', 'grant_usage=1'],
)
const spec = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map(pieces => pieces.join('')),
  fc.string({ unit: 'binary' }),
)

/** What a parser gives to its sink, and returns. */
function reported(parser: typeof parse, text: string): unknown[] {
  const calls: unknown[] = []
  const sink = {
    positional: (value: string, at: number) => calls.push(['positional', value, at]),
    parameter: (parameter: Parameter) => calls.push(parameter),
  }
  const returned = parser(text, sink)
  return [...calls, returned === sink]
}

t.test("the direct parser reads as peggy's own does", async t => {
  holds(
    t,
    fc.property(spec, text => {
      assert.deepEqual(reported(parse, text), reported(stock.parse, text))
    }),
    { numRuns: 2000 },
  )
})

t.test('the parameters are the whole of the text, in order', async t => {
  holds(
    t,
    fc.property(spec, text => {
      const starts = parametersOf(text).map(({ at }) => at)
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      )
      assert.ok(starts.every(at => at >= 0 && at < Math.max(1, text.length)))
    }),
  )
})
