import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseConfig } from 'xenlight'
import { holds } from '../support/holds.js'

t.test('line and column of values and items', async t => {
  const config = parseConfig('a = 1\n\n  list = [ "x",\n    [ 2 ],\n\t"é" ]\n')
  const list = config.getPlace('list')!
  t.match(list, { line: 3, column: 10 })
  t.match(list.item(0), { line: 3, column: 12, value: 'x' })
  t.match(list.item(1), { line: 4, column: 5 })
  t.match(list.item(1)!.item(0), { line: 4, column: 7, value: '2' })
  t.match(list.item(2), { line: 5, column: 2, value: 'é' })
  t.equal(list.item(3), undefined)
  t.equal(config.text.slice(list.start, list.end), '[ "x",\n    [ 2 ],\n\t"é" ]')
  t.equal(config.getPlace('a')!.item(0), undefined)
  t.strictSame(config.positionAt(config.text.length), { offset: config.text.length, line: 6, column: 1 })
})

t.test('a part of a spec points into the file, across escapes and +=', async t => {
  const text = 'disk = [ "\\"a\\\\b,format=foo\\012,xvda" ]\ndisk += [\n  \'c,bad\' ]\ns = "one"\ns += 23\n'
  const config = parseConfig(text)
  const source = (
    place: { span(start: number, end: number): { start: number; end: number } },
    from: number,
    to: number,
  ) => {
    const { start, end } = place.span(from, to)
    return text.slice(start, end)
  }
  const [first, second] = config.getDiskSpecs()
  t.equal(first!.spec, '"a\\b,format=foo,xvda')
  t.equal(source(first!.place, 0, 4), '\\"a\\\\b')
  t.equal(source(first!.place, 2, 3), '\\\\')
  t.equal(source(first!.place, 5, 15), 'format=foo')
  t.equal(source(first!.place, 16, 20), 'xvda')
  t.equal(source(first!.place, 20, 20), '')
  t.match(first!.place.at(5), { line: 1, column: 18 })
  t.match(second!.place.at(2), { line: 3, column: 6 })
  t.equal(source(second!.place, 2, 5), 'bad')
  const sum = config.getPlace('s')!
  t.equal(source(sum, 0, 3), 'one')
  t.equal(source(sum, 3, 5), '23')
  t.equal(source(sum, 1, 5), 'ne', 'as far as the first part goes')
  t.match(sum.at(4), { line: 5, column: 7 })
})

t.test('every character of a string is found again', async t => {
  const plain = fc.constantFrom('a', ' ', ',', '#', 'é', '\u{1f600}', '0').map(text => ({ text, raw: text }))
  const escaped = fc.constantFrom(
    { text: '\n', raw: '\\n' },
    { text: '"', raw: '\\"' },
    { text: '\\', raw: '\\\\' },
    { text: '', raw: '\\0123' },
  )
  const token = fc.array(fc.oneof(plain, escaped), { maxLength: 12 })
  holds(
    t,
    fc.property(fc.array(token, { minLength: 1, maxLength: 4 }), tokens => {
      let text = ''
      const want: { text: string; raw: string; offset: number }[] = []
      for (const parts of tokens) {
        text += `${text === '' ? 'a =' : '\na +='} "`
        for (const { text: character, raw } of parts) {
          if (character !== '') want.push({ text: character, raw, offset: text.length })
          text += raw
        }
        text += '"'
      }
      const config = parseConfig(text)
      const place = config.getPlace('a')!
      let at = 0
      for (const { text: character, raw, offset } of want) {
        const { start, end } = place.span(at, at + character.length)
        assert.equal(start, offset)
        assert.equal(text.slice(start, end), raw)
        assert.equal(place.at(at).offset, offset)
        at += character.length
      }
      assert.equal(config.getString('a')!.length, at)
    }),
    { numRuns: 500 },
  )
})
