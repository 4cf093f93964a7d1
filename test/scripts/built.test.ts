import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { projectRoot } from '../support/project-root.js'

const script = join(projectRoot, 'scripts/built.mjs')

const files = [
  ...['src/index.ts', 'src/xlu/config.ts', 'grammar/disk.peggy', 'dist/index.js', 'scripts/build.mjs'],
  ...['scripts/peggy-direct.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'],
]

/** A folder with a file of each kind that a build depends on, and what one says there. */
function project(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'built-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), content)
  }
  for (const file of files) write(file, file)
  const call = (name: string) => {
    const code = `import(process.argv[1]).then(built => console.log(built.${name}()))`
    return execFileSync(process.execPath, ['-e', code, script], { cwd: folder, encoding: 'utf8' }).trim()
  }
  return {
    folder,
    write,
    isBuilt: () => call('isBuilt'),
    remember: () => call('rememberBuild'),
    forget: () => call('forgetBuild'),
  }
}

t.test('what the last build made is built; a checkout may change times', async t => {
  const { folder, isBuilt, remember, forget } = project(t)
  t.equal(isBuilt(), 'false', 'nothing was built yet')
  remember()
  t.equal(isBuilt(), 'true')
  utimesSync(join(folder, 'src/index.ts'), 1, 1)
  t.equal(isBuilt(), 'true')
  forget()
  t.equal(isBuilt(), 'false', 'a build that began and did not end')
})

for (const file of [...files, 'src/new.ts', 'dist/xlu/new.js'])
  t.test(`stale when ${file} is another`, async t => {
    const { write, isBuilt, remember } = project(t)
    remember()
    write(file, 'another')
    t.equal(isBuilt(), 'false')
  })

t.test('stale when dist is gone', async t => {
  const { folder, isBuilt, remember } = project(t)
  remember()
  rmSync(join(folder, 'dist'), { recursive: true })
  t.equal(isBuilt(), 'false')
})
