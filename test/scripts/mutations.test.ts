import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

interface Mutant {
  file: string
  line: number
  start: number
  end: number
  original: string
  replacement: string
}
interface Mutations {
  changedLines(diff: string): Map<string, Set<number>>
  mutantsOf(filename: string, source: string, lines: Set<number>): Mutant[]
  mutate(source: string, mutant: Mutant): string
  sample<T>(list: readonly T[], count: number, seed: number): T[]
  testsFor(source: string, tests: readonly string[]): string[]
}
const script = pathToFileURL(join(projectRoot, 'scripts/mutations.mjs')).href
const { changedLines, mutantsOf, mutate, sample, testsFor } = (await import(script)) as Mutations

t.test('the lines of a diff that are new', async t => {
  const diff = [
    ...['diff --git a/src/a.ts b/src/a.ts', '--- a/src/a.ts', '+++ b/src/a.ts'],
    ...[
      '@@ -1,2 +1 @@ function f() {',
      '-a',
      '-b',
      '+c',
      '@@ -9,0 +8,3 @@',
      '+d',
      '+e',
      '+f',
      '@@ -20,2 +21,0 @@',
      '-g',
      '-h',
    ],
    ...['--- a/src/gone.ts', '+++ /dev/null', '@@ -1,2 +0,0 @@', '-a', '-b'],
    ...['--- /dev/null', '+++ b/src/new name.ts', '@@ -0,0 +1,2 @@', '+a', '+b'],
  ].join('\n')
  t.strictSame(
    [...changedLines(diff)].map(([file, lines]) => [file, [...lines]]),
    [
      ['src/a.ts', [1, 8, 9, 10]],
      ['src/new name.ts', [1, 2]],
    ],
  )
})

const cases: [code: string, mutants: string[]][] = [
  ['f(a === b)', [';', 'f(a !== b)']],
  ['x = a && b', [';', 'x = a || b', 'x = a', 'x = b']],
  ['x = a ?? b', [';', 'x = a', 'x = b']],
  ['x = a <= 0', [';', 'x = a < 0', 'x = a <= 1']],
  ['x = !a', [';', 'x = a']],
  ['if (a) throw 0', ['if (true) throw 0', 'if (false) throw 0', 'if (a) throw 1']],
  [
    "x = a ? 'b' : ''",
    [';', "x = true ? 'b' : ''", "x = false ? 'b' : ''", "x = a ? '' : ''", "x = a ? 'b' : 'mutant'"],
  ],
  ["const x: 'a' | 'b' = y as 'a'", []],
  ['export const x = (true as boolean) satisfies boolean', ['export const x = (false as boolean) satisfies boolean']],
  ["import type { X } from 'x'", []],
  ["export { x } from 'x'", []],
  ['x = /* === */ a /* < */ < b', [';', 'x = /* === */ a /* < */ <= b']],
]
for (const [code, expected] of cases)
  t.test(code, async t => {
    const mutants = mutantsOf('a.ts', code, new Set([1]))
    t.strictSame(
      mutants.map(mutant => mutate(code, mutant)),
      expected,
    )
  })

t.test('only the wanted lines, and each with its place', async t => {
  const source = 'f(1)\nlet é = "😀" + 2\nf(3)\n'
  t.strictSame(mutantsOf('a.ts', source, new Set()), [])
  const [plus, ...others] = mutantsOf('a.ts', source, new Set([2]))
  t.match(plus, { file: 'a.ts', line: 2, original: '+', replacement: '-' })
  t.equal(mutate(source, plus!), 'f(1)\nlet é = "😀" - 2\nf(3)\n')
  t.strictSame(
    others.map(({ original, replacement }) => [original, replacement]),
    [
      ['"😀"', "''"],
      ['2', '3'],
    ],
  )
})

t.test('a sample depends on its seed alone, and keeps the order', async t => {
  const list = Array.from({ length: 100 }, (_, index) => index)
  const one = sample(list, 10, 7)
  t.equal(new Set(one).size, 10)
  t.strictSame(sample(list, 10, 7), one)
  t.strictSame(
    [...one].sort((a, b) => a - b),
    one,
  )
  t.notSame(sample(list, 10, 8), one)
  t.strictSame(sample(list, 200, 7), list)
  const seen = new Set(list.flatMap(seed => sample(list, 10, seed)))
  t.equal(seen.size, 100, 'each may be taken')
})

t.test('the tests of a source, the nearest first', async t => {
  const tests = [
    'test/cli/vdev.test.ts',
    'test/libxl/a.test.ts',
    'test/libxl/store/b.test.ts',
    'test/libxl/store/c.test.ts',
  ]
  t.strictSame(testsFor('src/libxl/store/c.ts', tests), [tests[3], tests[2], tests[1]])
  t.strictSame(testsFor('src/libxl/vdev.ts', tests), [tests[0], tests[1], tests[2], tests[3]])
  t.strictSame(testsFor('src/xlu/d.ts', tests), [])
  t.strictSame(testsFor('src/printable.ts', tests), tests, 'all for what is of no room')
})
