import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

const script = pathToFileURL(join(projectRoot, 'scripts/failed-tests.mjs')).href
const { failedTests, secondsOf } = (await import(script)) as {
  failedTests: (file: string, tap: string) => string[]
  secondsOf: (tap: string) => number | undefined
}

const tap = `TAP version 14
# Subtest: outer
    ok 1 - well
    not ok 2 - one is two
      ---
      compare: ===
      at:
        fileName: a.test.js
        lineNumber: 2
      stack: |
        a.test.js:2:3
      source: |
        t.equal(1, 2)

        ---^
      diff: |
        -2
        +1
      ...
    
    ok 3 - not a word of this
    1..3
not ok 1 - outer # time=74.225ms
  ---
  at:
    fileName: a.test.js
  ...

ok 2 - other
1..2
# time=1618.609ms
`

t.test('what failed, and why', async t => {
  t.strictSame(failedTests('a.test.js', tap), [
    'FAILED a.test.js',
    'FAILED     not ok 2 - one is two',
    'FAILED       compare: ===',
    'FAILED       stack: |',
    'FAILED         a.test.js:2:3',
    'FAILED       diff: |',
    'FAILED         -2',
    'FAILED         +1',
    'FAILED not ok 1 - outer # time=74.225ms',
  ])
})

t.test('nothing failed', async t => {
  t.strictSame(failedTests('a.test.js', 'TAP version 14\nok 1 - a\n1..1\n'), [])
})

t.test('a file that died', async t => {
  t.strictSame(failedTests('a.test.js', 'TAP version 14\nok 1 - a\n'), [
    'FAILED a.test.js',
    'FAILED it ended before its plan; its last lines:',
    'FAILED TAP version 14',
    'FAILED ok 1 - a',
  ])
})

t.test('much that failed is cut', async t => {
  const many = Array.from({ length: 100 }, (_, place) => `not ok ${place + 1} - ${'x'.repeat(1000)}`)
  const lines = failedTests('a.test.js', [...many, '1..100'].join('\n'))
  t.equal(lines.length, 62)
  t.equal(lines.at(-1), 'FAILED and 40 lines more')
  t.ok(lines.every(line => line.length <= 'FAILED '.length + 300))
})

t.test('seconds', async t => {
  t.equal(secondsOf(tap), 2)
  t.equal(secondsOf('ok 1 - a\n'), undefined)
})
