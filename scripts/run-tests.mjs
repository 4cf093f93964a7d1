// Compiles the tests, runs them with tap, and closes with a line that counts them; exits as tap did.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countTests } from './count-tests.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
const tap = (...args) => node(join('node_modules/tap/dist/esm/run.mjs'), ...args)

// Nothing of a test that is gone may run.
rmSync('build/test', { recursive: true, force: true })
if (node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json') !== 0) process.exit(1)

// tap comes with its TypeScript loader built in; its own rebuild without it (.taprc) spoils the run that starts it.
const built = readFileSync('node_modules/@tapjs/test/test-built/dist/esm/index.js', 'utf8')
if (built.includes('@tapjs/typescript') && tap('build') !== 0) process.exit(1)

const files = readdirSync('build/test', { recursive: true })
  .filter(name => name.endsWith('.test.js'))
  .map(name => join('build/test', name))
const results = 'build/results.tap'
rmSync(results, { force: true })
const status = tap('run', '--reporter=terse', `--output-file=${results}`, '--jobs=2', ...files)
const { passed, skipped, failed } = countTests(readFileSync(results, 'utf8'))
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = status
