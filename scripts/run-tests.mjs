// Builds what is stale, compiles the tests, runs them with tap, and closes with a line that counts them; exits as tap did.
// With --faults, the long runs of files that end with .faults.ts, and nothing else.
// With --golden, only those that read golden/, with a line for each of its files.
// With REAL_PARTS=none, no test asks for a real part (test/support/real-part.ts).
// With EVERY_SECOND=0 or 1, every second file, from the first or the second on.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countTests } from './count-tests.mjs'
import { failedTests, secondsOf } from './failed-tests.mjs'
import { goldenReport } from './golden-report.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const node = (...args) => spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
const runTap = (...args) => node(join('node_modules/tap/dist/esm/run.mjs'), ...args)

if (node('scripts/build.mjs', '--if-stale') !== 0) process.exit(1)

// Nothing of a test that is gone may run.
rmSync('build/test', { recursive: true, force: true })
if (node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json') !== 0) process.exit(1)

// tap comes with its TypeScript loader built in, and one for mocks that each file would wait for; its own rebuild without them
// (.taprc) spoils the run that starts it.
const built = readFileSync('node_modules/@tapjs/test/test-built/dist/esm/index.js', 'utf8')
if (/@tapjs\/(?:typescript|mock)/.test(built) && runTap('build') !== 0) process.exit(1)

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
const files = readdirSync('build/test', { recursive: true })
  .filter(name => name.endsWith(ending))
  .sort((one, other) => rank(one) - rank(other))
  .map(name => join('build/test', name))
  .filter(file => !golden || comparesGolden(file))
  .filter((_, place) => process.env.EVERY_SECOND === undefined || place % 2 === Number(process.env.EVERY_SECOND))
// tap runs its files in the order of their names.
const order = 'build/order'
rmSync(order, { recursive: true, force: true })
mkdirSync(order)
const links = new Map(
  files.map((file, place) => {
    const name = file.slice('build/test/'.length).replaceAll('/', '--')
    return [file, join(order, `${String(place).padStart(3, '0')}-${name}`)]
  }),
)
for (const [file, link] of links) symlinkSync(resolve(file), link)
// Not --output-file, with which tap 21 at times ends before its reporter has said what failed.
const folder = 'build/results'
rmSync(folder, { recursive: true, force: true })
// the long ones are many runs in a file
const limits = process.argv.includes('--faults') ? ['--timeout=3600'] : []
let status = runTap('run', '--reporter=min', `--output-dir=${folder}`, '--jobs=2', ...limits, ...links.values())

const total = { passed: 0, skipped: 0, failed: 0 }
const results = []
for (const file of files) {
  const path = join(folder, `${links.get(file)}.tap`)
  const tap = existsSync(path) ? readFileSync(path, 'utf8') : ''
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
