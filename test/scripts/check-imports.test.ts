import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

type Rules = Map<string, Set<string>>
const { readRules, readImports, findBreaches } = (await import(
  pathToFileURL(`${projectRoot}/scripts/check-imports.mjs`).href
)) as {
  readRules(markdown: string): Rules
  readImports(src: string): Map<string, string[]>
  findBreaches(imports: Map<string, string[]>, rules: Rules): string[]
}

const rules = readRules(readFileSync(join(projectRoot, 'ARCHITECTURE.md'), 'utf8'))

t.test('src keeps to the table of ARCHITECTURE.md', async t => {
  t.strictSame(findBreaches(readImports(join(projectRoot, 'src')), rules), [])
  const { status } = spawnSync(process.execPath, [join(projectRoot, 'scripts/check-imports.mjs')])
  t.equal(status, 0)
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  t.match(scripts.check, /check-imports/, 'npm run check looks')
})

const forbidden: [file: string, statement: string, breach: string][] = [
  ['link/a.ts', "import { connect } from 'node:net'", 'src/link/a.ts imports node:net: link may not import node:net'],
  [
    'link/a.ts',
    "import type { B } from '../xenstore/b.js'",
    'src/link/a.ts imports src/xenstore/b.ts: link may not import xenstore',
  ],
  [
    'libxl/a.ts',
    "import type {\n  B,\n  C,\n} from './store/b.js'",
    'src/libxl/a.ts imports src/libxl/store/b.ts: libxl may not import libxl/store',
  ],
  ['xlu/a.ts', "export * from '../dm-args/b.js'", 'src/xlu/a.ts imports src/dm-args/b.ts: xlu may not import dm-args'],
  [
    'dm-args/a.ts',
    "const b = await import('../cli/b.js')",
    'src/dm-args/a.ts imports src/cli/b.ts: dm-args may not import cli',
  ],
  ['xlu/a.ts', "import { z } from 'zod'", 'src/xlu/a.ts imports zod: xlu may not import zod'],
  ['qemu/a.ts', '', "src/qemu/a.ts is in no room of ARCHITECTURE.md's table"],
]

/** A src with a file that says something, and files for it to import. */
function srcWith(files: Record<string, string>): Record<string, string | Record<string, string>> {
  const tree: Record<string, Record<string, string>> = {}
  for (const [path, text] of Object.entries(files)) {
    const end = path.lastIndexOf('/')
    tree[path.slice(0, end)] = { ...tree[path.slice(0, end)], [path.slice(end + 1)]: text }
  }
  const { 'libxl/store': store, libxl, ...rest } = tree
  return { ...rest, libxl: { ...libxl, store } as never }
}

t.test('an import that the table does not allow is a breach', async t => {
  for (const [file, statement, breach] of forbidden) {
    const others = ['xenstore/b.ts', 'libxl/store/b.ts', 'dm-args/b.ts', 'cli/b.ts']
    const files = { ...Object.fromEntries(others.map(other => [other, ''])), [file]: `${statement}\n` }
    t.strictSame(findBreaches(readImports(t.testdir(srcWith(files))), rules), [breach], `${file}: ${statement}`)
  }
})

t.test('a circle of files is a breach, of types too', async t => {
  const src = t.testdir({
    xlu: {
      'a.ts': "import { b } from './b.js'\n",
      'b.ts': "import type { C } from './c.js'\n",
      'c.ts': "export type { A } from './a.js'\n",
    },
  })
  t.strictSame(findBreaches(readImports(src), rules), [
    'a circle: src/xlu/a.ts → src/xlu/b.ts → src/xlu/c.ts → src/xlu/a.ts',
  ])
})
