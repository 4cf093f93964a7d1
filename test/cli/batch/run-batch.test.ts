import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { safeParseDisk, toLibxlJson } from 'xenlight'
import { longestSpec } from '#xenlight/cli/batch/spec-blocks.js'
import { holds } from '../../support/holds.js'
import { runWith } from '../fake-io.js'

const answers = (stdout: string) =>
  stdout
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line))

const expected = (spec: string, strict = false) => {
  const result = safeParseDisk(spec, { strict })
  const { diagnostics } = result
  if (result.success) return { rc: 0, disk: JSON.parse(toLibxlJson(result.disk)), message: null, diagnostics }
  return { rc: 22, disk: null, message: result.error.libxlMessage || null, diagnostics }
}

const word = fc.constantFrom(
  ...['/dev/vg/a', 'raw', 'xvda', 'w', 'QCOW2', 'vdev=hda', 'format=qcow2', 'colo', 'target=/x,y', 'foo=1', 'raw:/x'],
  ...['/é', '/"\\\t\x01', '\ud83d\ude00', '\udcff', ''],
)
const spec = fc.array(word, { maxLength: 5 }).map(words => words.join(','))

t.test('each line gets the answer that the library gives', async t => {
  const lines = fc.property(fc.array(spec), fc.boolean(), (specs, strict) => {
    const input = [specs.map(text => `${text}\n`).join('')]
    const { status, stdout, stderr } = runWith(['--batch', ...(strict ? ['--strict'] : [])], { input })
    assert.equal(status, 0)
    assert.equal(stderr, '')
    assert.deepEqual(answers(stdout), JSON.parse(JSON.stringify(specs.map(text => expected(text, strict)))))
  })
  holds(t, lines, { numRuns: 200 })
})

t.test('the last line needs no end; an empty line is an empty spec', async t => {
  t.equal(answers(runWith(['--batch'], { input: ['/a,,xvda\n\n/b,,xvdb'] }).stdout).length, 3)
  t.equal(runWith(['--batch'], { input: [] }).stdout, '')
})

t.test('NUL between the specs', async t => {
  const { stdout } = runWith(['--batch', '-0'], { input: ['/a\nb,,xvda\0/b,,xvdb\0'] })
  t.match(answers(stdout), [{ disk: { pdev_path: '/a\nb' } }, { disk: { pdev_path: '/b' } }])
})

t.test('a NUL byte in a line is refused with no words of libxl', async t => {
  const [answer] = answers(runWith(['--batch'], { input: ['/a\0b,,xvda\n'] }).stdout)
  t.match(answer, { rc: 22, disk: null, diagnostics: [{ code: 'nul-byte' }] })
  t.equal(answer.message, null)
})

t.test('a spec that is too long is one refusal among the others', async t => {
  for (const length of [longestSpec + 1, 2 * longestSpec]) {
    const input = ['/a,,xvda\n', '/'.repeat(length), '\n/b,,xvdb\n']
    const found = answers(runWith(['--batch'], { input }).stdout)
    t.match(found, [{ rc: 0 }, { rc: 22, disk: null, diagnostics: [{ code: 'too-long' }] }, { rc: 0 }])
    t.equal(found.length, 3)
  }
  const longest = `${'/'.repeat(longestSpec - 6)},,xvda`
  t.match(answers(runWith(['--batch'], { input: [longest] }).stdout), [{ rc: 0 }])
})

t.test('nobody reads the answers any more', async t => {
  const input = ['/a,,xvda\n', '/b,,xvdb\n']
  t.match(runWith(['--batch'], { input, failing: { after: 1, code: 'EPIPE' } }), { status: 141, stderr: '' })
})
