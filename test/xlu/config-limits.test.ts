import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { safeParseConfig } from 'xenlight'
import { holds } from '../support/holds.js'

const said = (text: string): string => {
  const result = safeParseConfig(text, { filename: 'f' })
  return result.success ? 'accepted' : result.error.libxlMessage
}

t.test("lists nest as deep as bison's stack allows", async t => {
  const nested = (open: string, inside: string, depth: number): string =>
    `a=${open.repeat(depth)}${inside}${']'.repeat(depth)}`
  const cases: [string, string, number, string][] = [
    ['[', '', 4996, 'accepted'],
    ['[', '', 4997, "f:1: config parsing error near `]': memory exhausted\n"],
    ['[', '1', 4996, 'accepted'],
    ['[', '1', 4997, "f:1: config parsing error near `1': memory exhausted\n"],
    ['[', '"a",\n', 4995, 'accepted'],
    ['[', '"a",\n', 4996, 'f:0: config parsing error near <newline>: memory exhausted\n'],
    ['["a",', '', 1999, 'accepted'],
    ['["a",', '', 2000, "f:1: config parsing error near `[': memory exhausted\n"],
    ['[', '', 1_000_000, "f:1: config parsing error near `[': memory exhausted\n"],
  ]
  const wrong = (depth: number): string => said(`a=[1,${'['.repeat(depth)}b`)
  t.equal(wrong(4994), "f:1: config parsing error near `b': syntax error, unexpected IDENT, expecting ']'\n")
  t.equal(wrong(4995), "f:1: config parsing error near `b': memory exhausted\n")
  for (const [open, inside, depth, want] of cases) t.equal(said(nested(open, inside, depth)), want, `${depth} ${open}`)
})

t.test('where libxl would abort there is an error', async t => {
  t.equal(said('a = "x\0"\n'), '')
  t.equal(said('? \na = "x\0"\n'), "f:1: config parsing error near `?': lexical error\n")
  t.match(said('a = "\\q\\"\0"\n'), /invalid character after backlash/)
})

t.test('no shape of text takes more than linear time', async t => {
  const shapes = [
    'x',
    '"',
    '" ',
    `' "`,
    '\\"',
    '# ',
    '? ',
    '?\n',
    '\n',
    ';',
    '[',
    ']',
    '1,',
    '=',
    'a ',
    'a=1\n',
    'a+="x"\n',
    'é ',
  ]
  const starts = ['', 'a="', 'a=[']
  // No clock: of a quadratic reader the runner's time-out would make an end.
  for (const shape of shapes)
    for (const start of starts) t.type(safeParseConfig(start + shape.repeat(300_000 / shape.length)).success, 'boolean')
})

t.test('one enormous line is an answer or a clear error', async t => {
  t.equal(said(`a="${'x'.repeat(10_000_000)}"`), 'accepted')
  const items = safeParseConfig(`a=[${'1,'.repeat(300_000)}]`)
  t.match(items.diagnostics, [{ code: 'config-too-large', message: 'more than 262144 values and errors' }])
  const escapes = safeParseConfig(`a="${'\\n'.repeat(2_200_000)}"`)
  t.match(escapes.diagnostics, [{ code: 'config-too-large' }])
})

t.test('no text crashes, and every refusal says why', async t => {
  const token = fc.constantFrom(
    'a',
    '=',
    '+=',
    '[',
    ']',
    ',',
    ';',
    '\n',
    ' ',
    '"x"',
    "'",
    '\\',
    '#',
    '?',
    '\0',
    'é',
    '\udc80',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(token, { maxLength: 40 }).map(tokens => tokens.join('')),
  )
  holds(
    t,
    fc.property(text, text => {
      const result = safeParseConfig(text)
      const spans = result.diagnostics.every(({ start, end }) => start >= 0 && start <= end && end <= text.length)
      const errors = result.diagnostics.filter(({ severity }) => severity === 'error').length
      assert.ok(spans, 'places are within the text')
      assert.equal(errors === 0, result.success)
    }),
    { numRuns: 3000 },
  )
})

t.test('values written as xl reads them come back', async t => {
  type Item = string | Item[]
  const { item } = fc.letrec<{ item: Item }>(tie => ({
    item: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary', maxLength: 12 }).map(text => text.replaceAll('\0', '')),
      fc.array(tie('item'), { maxLength: 4 }),
    ),
  }))
  const named: Record<string, string> = { '\n': '\\n', '"': '\\"', '\\': '\\\\' }
  const write = (value: Item): string =>
    typeof value === 'string'
      ? `"${value.replace(/[\n"\\]/g, character => named[character]!)}"`
      : `[${value.map(write).join(', ')}]`
  holds(
    t,
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z][._0-9a-z]{0,8}$/), item), settings => {
      const text = Object.entries(settings)
        .map(([key, value]) => `${key} = ${write(value)}\n`)
        .join('')
      const result = safeParseConfig(text)
      assert.ok(result.success)
      const { config } = result
      const read = config.keys().map(key => [key, config.getPlace(key)!.value])
      assert.equal(JSON.stringify(read), JSON.stringify(Object.entries(settings)))
    }),
    { numRuns: 500 },
  )
})
