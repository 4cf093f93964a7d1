import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

interface Report {
  lines: string[]
  unequal: number
}
type Result = { file: string; tap: string }
const script = pathToFileURL(join(projectRoot, 'scripts/golden-report.mjs')).href
const { goldenReport } = (await import(script)) as { goldenReport: (goldens: string[], results: Result[]) => Report }

const reads = '# golden/a.jsonl: 7 cases\n# golden/b/c.txt: 5 cases\n'
const cases: [why: string, taps: string[], a: string, c: string][] = [
  ['all passed', [`${reads}ok 1 - x\n1..1\n`], '7 equal', '5 equal'],
  ['a failure that names one', [`${reads}not ok 1 - as golden/b/c.txt\n1..1\n`], '7 equal', 'NOT EQUAL (file 0)'],
  ['one that names none', [`${reads}not ok 1 - x\n1..1\n`], 'NOT EQUAL (file 0)', 'NOT EQUAL (file 0)'],
  ['nothing but skips', [`${reads}ok 1 - x # SKIP no gcc\n1..1\n`], 'NOT EQUAL (file 0)', 'NOT EQUAL (file 0)'],
  ['a file that died', [`${reads}ok 1 - x\n`], 'NOT EQUAL (file 0)', 'NOT EQUAL (file 0)'],
  [
    'another reader fails',
    [`${reads}ok 1\n1..1\n`, `${reads}not ok 1 - golden/a.jsonl\n1..1\n`],
    'NOT EQUAL (file 1)',
    '5 equal',
  ],
  ['no reader', ['# golden/a.jsonl: 7 cases\nok 1\n1..1\n'], '7 equal', 'NOT EQUAL (no test reads it)'],
]

for (const [why, taps, a, c] of cases) {
  t.test(why, t => {
    const results = taps.map((tap, index) => ({ file: `file ${index}`, tap }))
    const { lines, unequal } = goldenReport(['golden/a.jsonl', 'golden/b/c.txt'], results)
    t.strictSame(lines, [`golden/a.jsonl: ${a}`, `golden/b/c.txt: ${c}`])
    t.equal(unequal, lines.filter(line => line.includes('NOT')).length)
    t.end()
  })
}
