// Samples mutants of the lines of src/ that changed since a commit, and lists those that no test notices:
//   npm run mutants -- [--since COMMIT] [--count N] [--seed S] [--all]
// A runner of our own: Stryker has none for tap, runs the source where our tests import what is built, and needs a score of packages.
// All happens in a copy in the temporary folder. A survivor is a question, not a failure: the exit status is 0.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { changedLines, mutantsOf, mutate, sample, testsFor } from './mutations.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** A test that takes longer than this without a mutant is left out. */
const slow = 60_000

function usage(message) {
  console.error(`${message}\nnpm run mutants -- [--since COMMIT] [--count N] [--seed S] [--all]`)
  process.exit(2)
}

function readOptions() {
  const text = { type: 'string' }
  try {
    const { values } = parseArgs({ options: { since: text, count: text, seed: text, all: { type: 'boolean' } } })
    const { since = lastBase(), count = '20', seed = String(Math.floor(Math.random() * 2 ** 32)), all = false } = values
    for (const number of [count, seed]) if (!/^\d{1,10}$/.test(number)) usage(`not a number: ${number}`)
    return { since, count: Number(count), seed: Number(seed), all }
  } catch (error) {
    return usage(error.message)
  }
}

function git(...args) {
  const { status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  return status === 0 ? stdout.trimEnd() : usage(`git ${args.join(' ')}: ${stderr.trim()}`)
}

/** Where this branch left main, or on main the commit before this one. */
function lastBase() {
  const { status, stdout } = spawnSync('git', ['merge-base', 'HEAD', 'main'], { encoding: 'utf8' })
  const head = git('rev-parse', 'HEAD')
  return status === 0 && stdout.trim() !== head ? stdout.trim() : 'HEAD~1'
}

const { since, count, seed, all } = readOptions()
const mutants = []
for (const [file, lines] of changedLines(git('diff', '--unified=0', '--no-color', since, '--', 'src/**/*.ts')))
  if (!file.endsWith('.d.ts')) mutants.push(...mutantsOf(file, readFileSync(file, 'utf8'), lines))
const chosen = sample(mutants, count, seed)
console.log(`${mutants.length} mutants of the lines changed since ${since}; ${chosen.length} of them, --seed ${seed}`)
if (chosen.length === 0) process.exit(0)

const copy = mkdtempSync(join(tmpdir(), 'xenlight-mutants-'))
process.on('exit', () => rmSync(copy, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
const left = new Set(['node_modules', 'dist', 'build', '.git', '.tap'])
for (const name of readdirSync('.')) if (!left.has(name)) cpSync(name, join(copy, name), { recursive: true })
symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))

/** 'passed', 'failed' or 'timeout'; what hangs is killed with all that it started. */
function run(args, timeout) {
  const limited = ['--signal=KILL', String(Math.ceil(timeout / 1000)), process.execPath, ...args]
  // tap's own time-out would be 30 s, which a busy machine needs.
  const { CI, ...rest } = process.env
  const env = { ...rest, TAP_TIMEOUT: '600' }
  const { status, stdout } = spawnSync('timeout', limited, { cwd: copy, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (status === 0) return { outcome: 'passed', stdout }
  return { outcome: status === 137 || status === 124 || status === null ? 'timeout' : 'failed', stdout }
}

const build = () => run(['scripts/build.mjs', '--if-stale'], 300_000)
if (
  build().outcome !== 'passed' ||
  run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'], 300_000).outcome !== 'passed'
) {
  console.error('it does not build without a mutant: npm run build && npm run test:build')
  process.exit(1)
}

const tests = readdirSync(join(copy, 'test'), { recursive: true, withFileTypes: true })
  .filter(({ name }) => name.endsWith('.test.ts'))
  .map(({ parentPath, name }) => relative(copy, join(parentPath, name)))
  .filter(test => !/^test\/(?:fuzz|xen)\//.test(test))
const compiled = test => `build/${test.replace(/\.ts$/, '.js')}`

/** How long each test takes without a mutant, in ms; undefined of one that fails even so, or takes too long. */
const times = new Map()
function timeOf(test) {
  if (!times.has(test)) {
    const start = performance.now()
    const { outcome } = run([compiled(test)], slow)
    times.set(test, outcome === 'passed' ? performance.now() - start : undefined)
    if (outcome !== 'passed') console.log(`left out: ${test} (${outcome} without a mutant)`)
  }
  return times.get(test)
}

function judge(mutant) {
  const source = readFileSync(mutant.file, 'utf8')
  const relevant = (all ? tests : testsFor(mutant.file, tests)).filter(test => timeOf(test) !== undefined)
  if (relevant.length === 0) return { fate: 'SURVIVED', by: 'no test is near it' }
  writeFileSync(join(copy, mutant.file), mutate(source, mutant))
  try {
    if (build().outcome !== 'passed') return { fate: 'KILLED', by: 'the compiler' }
    for (const test of relevant) {
      const { outcome } = run([compiled(test)], 10_000 + 5 * timeOf(test))
      if (outcome !== 'passed') return { fate: outcome === 'failed' ? 'KILLED' : 'TIMEOUT', by: test }
    }
    return { fate: 'SURVIVED', by: `${relevant.length} test files` }
  } finally {
    writeFileSync(join(copy, mutant.file), source)
    build()
  }
}

const oneLine = text => JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
const show = ({ file, line, original, replacement }) =>
  `${file}:${line}: ${oneLine(original)} → ${oneLine(replacement)}`

const counts = { KILLED: 0, TIMEOUT: 0, SURVIVED: 0 }
const survivors = []
for (const mutant of chosen) {
  const { fate, by } = judge(mutant)
  counts[fate]++
  if (fate === 'SURVIVED') survivors.push(mutant)
  console.log(`${fate.padEnd(8)} ${show(mutant)} (${by})`)
}
console.log(
  `${counts.KILLED} killed, ${counts.TIMEOUT} timed out, ${counts.SURVIVED} survived${survivors.length > 0 ? ':' : ''}`,
)
for (const mutant of survivors) console.log(`  ${show(mutant)}`)
