import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import peggy, { type Plugin } from 'peggy'
import t from 'tap'
import { holds } from '../support/holds.js'
import { projectRoot } from '../support/project-root.js'

const { direct } = (await import(pathToFileURL(`${projectRoot}/scripts/peggy-direct.mjs`).href)) as { direct: Plugin }

const generate = (grammar: string, options = {}) =>
  peggy.generate(grammar, { ...options, output: 'source', format: 'es', plugins: [direct] }) as unknown as string

type Parse = (text: string, options: object) => unknown
async function load(grammar: string): Promise<Parse> {
  const url = `data:text/javascript,${encodeURIComponent(generate(grammar))}`
  return ((await import(url)) as { parse: Parse }).parse
}

const outcome = (parse: Parse, text: string) => {
  const log: unknown[] = []
  try {
    return { value: parse(text, { log }), log }
  } catch {
    return { log }
  }
}

const grammars = [
  'S = "xxa" $[^a]* "q" / $[^a]* $.*',
  'S = (W / .)*\nW = [ \\n]+ !($[^\\n,]* ",") / $[^\\n]* "\\n"',
  'S = [^a]* "a"',
  'S = $[^a]* "a"? V?\nV = x:[^a]* "a" { return x }',
  'S = $[^a,]+ ","? .*',
  'S = a:"a" ("b" { return a }) c:$.* { return [a, c] }',
  'S = a:"a" ("b" { return a })',
  'S = a:("a" / "b") { return a + text() }',
  'S = ("a" { return offset() } / "b")*',
  'S = !"b" @$[a-q]+ @"x"? .*',
  'S = &"a" @. .* / "b" .* / ""',
  'S = (!"," .)* ","? .*',
  'S = "a"* "b"+ ("x" / [^x])*',
  'S = "ab"? [] / .*',
  'S = $(A / B)* .*\nA = "a" !"x"\nB = &"b" [bx] "a"?',
  'S = "\\n"? [^\\n]* ("\\n" [^\\n]*)*',
  'S = ([^ab]* "b" / [^b]* "a")* .*',
  'S = (T / .)* { return options.log.length }\nT = "a" x:$[^,]* ","? { options.log.push([offset(), x]) }',
  'S = T $(T / "x" !"x")* .*\nT = x:U "b" { options.log.push(text(), x) } / "q"\nU = "a"+ { return offset() }',
]
for (const grammar of grammars) {
  t.test(`as peggy's own: ${JSON.stringify(grammar)}`, async t => {
    const ours = await load(grammar)
    const stock = peggy.generate(grammar)
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x', 'q', ',', '\n', ' '), maxLength: 12 })
    holds(
      t,
      fc.property(text, text => {
        assert.deepEqual(
          outcome(ours, text),
          outcome((text, options) => stock.parse(text, options), text),
        )
      }),
      { numRuns: 500 },
    )
  })
}

const refused: [string, object?][] = [
  ['S = "a"i'],
  ['S = [a]i'],
  ['S = [\\u{1f600}]'],
  ['S = &{ return true } "a"'],
  ['S = !{ return true } "a"'],
  ['S = "a"|2..3|'],
  ['{ let x }\nS = "a"'],
  ['S = "a" { return location() }'],
  ['S = "a" { return range() }'],
  ['S = &"a" &T "a"\nT = "a" { options.x() }'],
  ['S = !("a" { options.x() }) .'],
  ['S = !T "a"\nT = U U U\nU = V V\nV = "a" { options.x() }'],
  ['S = "a" { error("x") }'],
  ['S = "a" T\nT = "b"', { allowedStartRules: ['S', 'T'] }],
  ['S = "a"', { cache: true }],
  ['S = "a"', { trace: true }],
]
for (const [grammar, options] of refused) {
  t.test(`refused: ${JSON.stringify(grammar)} ${JSON.stringify(options ?? {})}`, async t => {
    t.throws(() => generate(grammar, options), { message: /^direct: / })
  })
}
