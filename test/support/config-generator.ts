import { createRandom } from './random.js'

/** Configuration texts, most of them wrong, for comparing with the real libxlutil: the same seed gives the same texts. */
export function* configTexts(seed: number, count: number): Generator<string> {
  const { int: below, pick } = createRandom(seed)
  const times = (most: number, make: () => string): string => Array.from({ length: below(most + 1) }, make).join('')
  let earlier = 'name = "x"\n'

  const blank = (): string => pick(['', '', '', ' ', '\t', '  '])
  const newline = (): string => pick(['', '', '', '\n', '\n\n', ' # c\n', '#\n', '\r\n'])
  const string = (): string => {
    const quote = pick(['"', "'"])
    return quote + times(3, () => pick(stringParts)) + pick([quote, quote, quote, quote, quote, ''])
  }
  const atom = (): string => (below(3) ? string() : pick(numbers))
  const value = (depth: number): string => {
    if (depth > 3 || below(3)) return atom()
    const items = Array.from({ length: below(4) }, () => newline() + value(depth + 1) + blank() + newline())
    return `[${newline()}${items.join(',')}${pick(['', '', ',', ',,'])}${newline()}${pick([']', ']', ']', ']', ']', ''])}`
  }
  const good = (): string =>
    `${blank()}${pick(goodKeys)}${blank()}${pick(['=', '=', '+='])}${blank()}${goodValue(0)}${pick(['\n', ';', ' # c\n'])}`
  const goodValue = (depth: number): string => {
    const quote = pick(['"', "'"])
    if (depth > 3 || below(2))
      return below(3) ? quote + times(3, () => pick(goodParts)) + quote : pick(numbers.slice(3))
    const items = Array.from({ length: below(4) }, () => pick(['', '\n', '# c\n ']) + goodValue(depth + 1) + blank())
    return `[${items.join(',')}${items.length > 0 ? pick(['', ',', ' ,\n']) : ''}]`
  }
  const statement = (): string =>
    blank() + pick(keys) + blank() + pick(operators) + blank() + value(0) + blank() + pick(endings)
  const soup = (): string => pick(tokens)

  const makers = [
    () => times(6, good),
    () => times(6, good) + pick(['', '', soup(), statement()]),
    () => mutated(times(6, good), below, soup),
    () => times(6, statement),
    () => times(25, soup),
    () => times(12, () => soup() + blank()),
    () => times(4, () => (below(3) ? statement() : `${times(6, soup)}\n`)),
    () => mutated(earlier, below, soup),
    () => mutated(times(8, statement), below, soup),
    () => nested(below, pick),
  ]
  for (let made = 0; made < count; made++) {
    const text = makers[below(400) === 0 ? makers.length - 1 : below(makers.length - 1)]!()
    if (text.length < 2000) earlier = text
    yield text
  }
}

const goodKeys = ['a', 'b', 'name', 'memory', 'disk']
const goodParts = [
  '\\n',
  '\\"',
  '\\\\',
  '\\012',
  '\\7 8',
  'x',
  ' ',
  '12',
  '0x',
  '#',
  'é',
  '\u{1f600}',
  '\udc80',
  '\r',
  'phy:/dev/x,xvda,w',
]
const keys = ['a', 'b', 'name', 'memory', 'disk', 'a.b_c', 'x1', 'a', 'disk', 'A', 'if', '1a', '_', 'é', '-a', '']
const operators = ['=', '=', '=', '=', '+=', '+=', '==', '+', '', ':', '= +']
const endings = ['\n', '\n', '\n', ';', ';\n', ' # c\n', '\r\n', '', ',', ']', '#', '# c']
const numbers = [
  '0xg',
  '-1',
  '1.5',
  '0',
  '1',
  '512',
  '0x10',
  '017',
  '08',
  '9223372036854775807',
  '9223372036854775808',
  '"-9223372036854775808"',
  '"-9223372036854775809"',
  '" \t+0x7F"',
  "'99999999999999999999x'",
  '"0x"',
  "'-0'",
  "'00'",
  '"-010"',
  "'\\n 5'",
  "'5 '",
  "'0b1'",
  '000000000000000000000000000000000000001',
  '"0Xffffffffffffffff"',
]
const escapes = ['\\n', '\\"', "\\'", '\\\\', '\\a', '\\q', '\\x41', '\\xZ41', '\\x', '\\0', '\\01', '\\012', '\\7 8']
const octals = [
  '\\0123',
  '\\1 +2',
  '\\1\t 2',
  '\\1+-',
  '\\7--1',
  '\\8',
  '\\é',
  '\\\r1',
  '\\1\v\f3',
  '\\777\\',
  '\\\n',
  '\\',
]
const odd = ['\0', '\r', '\u{1f600}', '\udcff', '\udc80', 'é', '\x7f', '\x01', '\u2028', '\ufeff']
const stringParts = [...escapes, ...octals, 'x', 'a,b', ' ', '#', 'phy:/dev/vg/x,xvda,w', '12', '-1', "'", '"', ...odd]
const signs = ['=', '+=', ',', ';', '[', ']', '\n', '\n', '#', ' ', '\t', '+', '-', '.', '(', ')', ':', "'", '"', '\\']
const words = [
  'a',
  'b1',
  'x.y_z',
  '0',
  '12',
  '0x1f',
  '"s"',
  "'t'",
  '"\\q"',
  '"\\12"',
  '# c\n',
  'True',
  'T',
  '{',
  '"u',
  'a =',
]
const tokens = [...signs, ...signs, ...words, ...words, ...odd]

function mutated(text: string, below: (limit: number) => number, soup: () => string): string {
  let result = text
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(result.length + 1)
    const other = below(result.length + 1)
    const [low, high] = at < other ? [at, other] : [other, at]
    const change = below(4)
    if (change === 0) result = result.slice(0, at) + soup() + result.slice(at)
    else if (change === 1) result = result.slice(0, at) + result.slice(at + 1 + below(3))
    else if (change === 2) result = result.slice(0, at) + soup() + result.slice(at + 1)
    else result = result.slice(0, high) + result.slice(low)
  }
  return result
}

/** Lists around the depth that bison's stack allows, and long runs of one thing. */
function nested(below: (limit: number) => number, pick: <T>(choices: readonly T[]) => T): string {
  const opening = pick(['[', '[', '[\n', '["a",', '[[],', '[1,\n'])
  const room = { '[': 4995, '[\n': 4995, '["a",': 1999, '[[],': 1999, '[1,\n': 1999 }[opening]!
  const depth = pick([room + below(8) - 4, below(room), room * 2])
  const inside = pick(['', '1', '"x",', '\n', '1\n', ',', 'a', '?', '\0', '[]', '[1,2\n,3]'])
  const closing = pick([']', ']', ']\n', '\n]', ',]'])
  return `${pick(['', '\n', 'b=1;'])}a=${opening.repeat(depth)}${inside}${closing.repeat(Math.max(0, depth - below(2)))}${pick(['', '\n', '?'])}`
}
