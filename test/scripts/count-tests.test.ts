import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

type Count = Record<'passed' | 'skipped' | 'failed', number>
const script = pathToFileURL(join(projectRoot, 'scripts/count-tests.mjs')).href
const { countTests, lastCount } = (await import(script)) as Record<'countTests' | 'lastCount', (text: string) => Count>

const cases: [string, string, Count][] = [
  [
    'test points, not assertions',
    '# Subtest: a\n    ok 1 - x\n    not ok 2 - y\n    1..2\nnot ok 1 - a # time=3ms\n\nok 2 - b\n1..2\n',
    { passed: 1, skipped: 0, failed: 1 },
  ],
  [
    'a skip is not a pass',
    'ok 1 - a # SKIP gcc is missing\nok 2 - b # time=1ms\n1..2\n',
    { passed: 1, skipped: 1, failed: 0 },
  ],
  ['a test without a name', 'ok 1\nnot ok 2\n1..2\n', { passed: 1, skipped: 0, failed: 1 }],
  ['a # in a name', 'ok 1 - C# and # signs\n1..1\n', { passed: 1, skipped: 0, failed: 0 }],
  ['no output', '', { passed: 0, skipped: 0, failed: 1 }],
  ['a file without tests', 'TAP version 14\n1..0\n', { passed: 0, skipped: 0, failed: 1 }],
  ['a file that dies after a pass', 'TAP version 14\nok 1 - a\n', { passed: 1, skipped: 0, failed: 1 }],
  ['a file that dies after a failure', 'not ok 1 - a\n', { passed: 0, skipped: 0, failed: 1 }],
  ["a subtest's plan is not the file's", '    ok 1 - x\n    1..1\n', { passed: 0, skipped: 0, failed: 1 }],
]
for (const [what, tap, want] of cases) {
  t.test(what, async t => {
    t.strictSame(countTests(tap), want)
  })
}

t.test('the count that a run ends with', async t => {
  t.strictSame(lastCount('a\n3 skipped, which proves nothing: see above\n5 passed, 1 failed\n'), {
    ...{ passed: 5, failed: 1, skipped: 3 },
  })
  t.strictSame(lastCount('1 passed, 0 failed\n5 passed, 2 failed\n'), { passed: 5, failed: 2, skipped: 0 })
  t.strictSame(lastCount('it died'), { passed: 0, failed: 1, skipped: 0 }, 'one that did not come so far')
})
