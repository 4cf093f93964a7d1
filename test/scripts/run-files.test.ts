import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

interface TestFile {
  file: string
  result: string
}
type RunFiles = (
  files: readonly TestFile[],
  options: { jobs: number; seconds: number; ended: (file: TestFile, isPassed: boolean) => void },
) => Promise<void>

const script = pathToFileURL(join(projectRoot, 'scripts/run-files.mjs')).href
const { runFiles } = (await import(script)) as { runFiles: RunFiles }

const tap = JSON.stringify(pathToFileURL(join(projectRoot, 'node_modules/tap/dist/esm/index.js')).href)
const files = {
  passes: `import t from ${tap}\nt.pass('well')`,
  fails: `import t from ${tap}\nt.fail('ill')`,
  throws: `throw new Error('at once')`,
  'ends early': `console.log('TAP version 14\\nok 1 - a'); process.kill(process.pid, 'SIGKILL')`,
  'never ends': `import t from ${tap}\nt.test('waits', () => new Promise(() => setInterval(() => {}, 1000)))`,
}

t.test('each file has its result, and what does not end is ended', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const given = Object.entries(files).map(([name, text]) => {
    const file = join(folder, `${name}.mjs`)
    writeFileSync(file, text)
    return { file, result: join(folder, `${name}.tap`) }
  })
  const passed = new Map<string, boolean>()
  await runFiles(given, { jobs: 2, seconds: 2, ended: ({ file }, isPassed) => passed.set(file, isPassed) })
  t.strictSame(
    given.map(({ file }) => passed.get(file)),
    [true, false, false, false, false],
  )
  const said = (name: string) => readFileSync(join(folder, `${name}.tap`), 'utf8')
  t.match(said('passes'), /^ok 1 - well$/m)
  t.match(said('fails'), /^not ok 1 - ill$/m)
  t.match(said('ends early'), /^ok 1 - a$/m)
  t.match(said('never ends'), /^not ok 1 - waits/m)
})
