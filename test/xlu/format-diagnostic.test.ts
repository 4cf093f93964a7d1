import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatDiagnostic, safeParseDisk } from 'xenlight'
import { holds } from '../support/holds.js'

const shown = (spec: string, options = {}) =>
  safeParseDisk(spec)
    .diagnostics.map(d => formatDiagnostic(d, options))
    .join('')

t.test('a caret picture with what to write instead', async t => {
  t.equal(
    shown('format=QCOW2,vdev=hda,target=/x'),
    `error[unknown-value]: unknown value for format
 --> spec:1:8
1 | format=QCOW2,vdev=hda,target=/x
  |        ^^^^^
hint: write qcow2 (format takes raw, qcow, qcow2, vhd, qed or empty)
`,
  )
})

t.test('a note at the first place', async t => {
  t.match(shown('vdev=hda,vdev=hdb'), /note: first given here\n --> spec:1:6\n/)
})

t.test('the line that the place is on', async t => {
  t.match(
    shown('vdev=hda,target=/x\nformat=bad', { filename: 'a.cfg' }),
    / --> a\.cfg:2:8\n2 \| format=bad\n {2}\| {8}\^\^\^\n/,
  )
})

t.test('colours only where asked for', async t => {
  t.notOk(shown('x').includes('\x1b'))
  t.ok(shown('x', { color: true }).startsWith('\x1b[31merror'))
})

t.test('of a long line, the part around the place', async t => {
  const text = shown(`${'a'.repeat(5000)},raw,xvda,bad,${'b'.repeat(5000)}`)
  t.ok(text.split('\n').every(line => line.length < 130))
  t.match(text, /…a+,raw,xvda,bad,b+…/)
})

t.test('a name of a file colours nothing', async t => {
  for (const [filename, written] of [
    ['\x1b[31m.cfg', '␛[31m.cfg'],
    ['a\nb', 'a␊b'],
    ['\u202egfc', '\ufffdgfc'],
  ] as const) {
    const lines = shown('vdev=hda,vdev=hdb', { filename }).split('\n')
    const places = lines.filter(line => line.startsWith(' --> '))
    t.strictSame(places, [` --> ${written}:1:15`, ` --> ${written}:1:6`])
  }
})

t.test('nothing of the text reaches the terminal raw, and the caret has its column', async t => {
  holds(
    t,
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), junk => {
      const text = shown(`foo=${junk},vdev=\x1b[2J`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those must not be there
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
      assert.ok(text.isWellFormed())
    }),
  )
})
