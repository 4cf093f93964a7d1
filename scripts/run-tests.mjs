// Builds what is stale, compiles the tests, runs them, says of each that fails why, and closes with a line that counts them.
// With --faults, the long runs of files that end with .faults.ts, and nothing else.
// With --golden, only those that read golden/, with a line for each of its files.
// With REAL_PARTS=none, no test asks for a real part (test/support/real-part.ts).
// With XENS=rotate, of the files that ask a real Xen one, and another one the next day.
// With EVERY_SECOND=0 or 1, every second file, from the first or the second on.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countTests } from './count-tests.mjs'
import { failedTests, secondsOf } from './failed-tests.mjs'
import { goldenReport } from './golden-report.mjs'
import { runFiles } from './run-files.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1

if (node('scripts/build.mjs', '--if-stale') !== 0) process.exit(1)

// Nothing of a test that is gone may run.
rmSync('build/test', { recursive: true, force: true })
if (node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json') !== 0) process.exit(1)

const ending = process.argv.includes('--faults') ? '.faults.js' : '.test.js'
const golden = process.argv.includes('--golden')
// Those of a real QEMU read goldens too, as disks to start: they compare nothing with them.
const comparesGolden = file =>
  !file.includes('real-qemu') && /support\/(?:argv-golden|golden|attachments)\.js'/.test(readFileSync(file, 'utf8'))
// Those that take minutes begin first, so that at the end nothing waits for one of them.
const longest = [
  // The first one on a real Xen builds it, and the others wait for that.
  ...['xen/beside-xl', 'dm-args/real-qemu/disk-sets', 'dm-args/hostile/disks', 'protocol-d/lives.faults'],
  ...['colo/protect-pair', 'xl-colo/pair', 'colo/colo.faults', 'rephub/hosts', 'xen/drbd', 'xen/real-xen'],
  ...[
    'protocol-d/guest',
    'xenstore/killed-server',
    'libxl/store/somebody-elses-disk',
    'fuzz/disk-fuzz',
    'replication/faults/',
    'lease/',
  ],
  ...[
    'replication/node/running-group',
    'replication/journal/crashes',
    'cli/xl-block-attach',
    'replication/cycles/live-child',
    'colo/fail-over',
  ],
  ...['nbd/real-clients', 'libxl/store/late', 'xl-remus/documentation', 'rephub/documentation'],
]
const rank = name => {
  const place = longest.findIndex(long => name.startsWith(long))
  return place < 0 ? longest.length : place
}
const isXen = name => name.startsWith('xen/')
const all = readdirSync('build/test', { recursive: true })
  .filter(name => name.endsWith(ending))
  .sort()
const xens = all.filter(isXen)
const xenOfToday = xens[Math.floor(Date.now() / 86_400_000) % xens.length]
const files = all
  .filter(name => process.env.XENS !== 'rotate' || !isXen(name) || name === xenOfToday)
  .sort((one, other) => rank(one) - rank(other))
  .map(name => join('build/test', name))
  .filter(file => !golden || comparesGolden(file))
  .filter((_, place) => process.env.EVERY_SECOND === undefined || place % 2 === Number(process.env.EVERY_SECOND))
const folder = 'build/results'
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const resultOf = file => join(folder, `${file.slice('build/test/'.length).replaceAll('/', '--')}.tap`)
let status = 0
await runFiles(
  files.map(file => ({ file, result: resultOf(file) })),
  {
    jobs: 2,
    // the long ones are many runs in a file
    seconds: process.argv.includes('--faults') ? 3600 : 600,
    ended({ file }, isPassed) {
      if (isPassed) return
      status = 1
      console.log(`${file} has failed: what of it is said at the end`)
    },
  },
)

const total = { passed: 0, skipped: 0, failed: 0 }
const results = []
for (const file of files) {
  const tap = readFileSync(resultOf(file), 'utf8')
  // What a test says of how much it did.
  for (const [, what] of tap.matchAll(/^ +# ((?:[a-z]+: )?\d+ [A-Za-z].*)$/gm)) console.log(`${file}: ${what}`)
  if (process.env.REAL_PARTS !== 'none')
    for (const [, what] of tap.matchAll(/^ok \d+ - (.* # SKIP.*)$/gm)) console.log(`SKIPPED ${what}`)
  const count = countTests(tap)
  for (const key of Object.keys(total)) total[key] += count[key]
  results.push({ file, tap })
}
if (golden) {
  const kept = readdirSync('golden', { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'README.md')
    .map(({ parentPath, name }) => join(parentPath, name))
  const { lines, unequal } = goldenReport(kept.sort(), results)
  for (const line of lines) console.log(line)
  if (unequal > 0) status ||= 1
}
const slowest = results
  .map(({ file, tap }) => ({ file, seconds: secondsOf(tap) ?? 0 }))
  .sort((one, other) => other.seconds - one.seconds)
  .slice(0, 12)
console.log(`Slowest: ${slowest.map(({ file, seconds }) => `${file} ${seconds} s`).join(', ')}`)
for (const { file, tap } of results) for (const line of failedTests(file, tap)) console.log(line)
if (status !== 0 && total.failed === 0) total.failed = 1
if (total.skipped > 0) console.log(`${total.skipped} skipped, which proves nothing: see above`)
console.log(`${Math.round(performance.now() / 1000)} s`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = status
