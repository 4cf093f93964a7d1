import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { drbdsetup, standInTools } from '../remus/stand-in-tools.js'
import { projectRoot } from '../support/project-root.js'

const command = join(projectRoot, 'dist/bin/xl-remus.cjs')
const system = '/usr/bin:/bin'

const recorded = (name: string) => readFileSync(join(projectRoot, `test/remus/recorded/${name}.txt`), 'utf8')
const events = recorded('8.4-primary-events2')
/** As drbdsetup shows it of a DRBD that was patched for Remus. */
const protocolD = recorded('8.4-primary-show').replace('net {', 'net {\n        protocol D;')

function probe(path: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'probe', ...args], {
    encoding: 'utf8',
    env: { PATH: path },
  })
  return { status, stdout, stderr }
}

interface Case {
  name: string
  target: string
  events?: string
  show?: string
  status: number
  line: string
}

const why = {
  C: 'DRBD resource r0 uses protocol C: only D has checkpoints',
  noD: "stock DRBD has no protocol D: use this package's device of protocol D, or a DRBD that was patched for Remus",
  name: 'name /dev/drbdN, /dev/drbd/by-res/RESOURCE/VOLUME or drbd:RESOURCE',
}

const cases: readonly Case[] = [
  {
    ...{ name: 'ready', target: '/dev/drbd0', status: 0 },
    line: 'ready: resource r0, /dev/drbd0, protocol D, Connected, Primary/Secondary, UpToDate/UpToDate',
  },
  {
    ...{ name: 'another device', target: '/dev/sda', status: 1 },
    line: `not-drbd: /dev/sda is no DRBD device; ${why.name}`,
  },
  {
    ...{ name: 'what would be an option', target: 'drbd:--help', status: 1 },
    line: `not-drbd: drbd:--help is no DRBD device; ${why.name}`,
  },
  {
    ...{ name: 'protocol C', target: 'drbd:r0', show: recorded('8.4-primary-show'), status: 3 },
    line: `not-protocol-d: resource r0, /dev/drbd0, protocol C, Connected, Primary/Secondary, UpToDate/UpToDate; ${why.C}; ${why.noD}`,
  },
  {
    ...{ name: 'the Secondary', target: '/dev/drbd1', status: 4 },
    line:
      'not-ready: resource r0p, /dev/drbd1, protocol D, Connected, Secondary/Primary, UpToDate/UpToDate; ' +
      "DRBD resource r0p is Secondary/Primary, not Primary/Secondary; the guest's node is to be the only primary: " +
      'drbdadm primary r0p here, drbdadm secondary there',
  },
  {
    ...{ name: 'disconnected', target: '/dev/drbd0', events: recorded('8.4-alone-events2'), status: 4 },
    line:
      'not-ready: resource r0, /dev/drbd0, protocol D, Connecting, Secondary/Unknown, Inconsistent/DUnknown; ' +
      'DRBD resource r0 is Connecting, not Connected; start the other node, or connect again: drbdadm connect r0',
  },
]

for (const { name, target, status, line, ...given } of cases)
  t.test(`${name}: a line, its exit status, and both as JSON`, async t => {
    const path = `${standInTools(t, { drbdsetup: drbdsetup({ events, show: protocolD, ...given }) })}:${system}`
    t.strictSame(probe(path, target), { status, stdout: `${line}\n`, stderr: '' })
    const found = probe(path, target, '--json')
    t.equal(found.status, status)
    const { outcome, resource, device, protocol, connection, roles, disks, why, hint } = JSON.parse(found.stdout)
    const there = [
      ...[resource && `resource ${resource}`, device, protocol && `protocol ${protocol}`, connection],
      ...[roles?.join('/'), disks?.join('/')],
    ]
    const words = [there.filter(Boolean).join(', '), why, hint].filter(Boolean)
    t.equal(`${outcome}: ${words.join('; ')}`, line)
  })

t.test('what is configured and not up is not ready', async t => {
  const tools = { drbdsetup: drbdsetup({ events: 'exists -\n', show: '' }), drbdadm: 'echo /dev/drbd0' }
  const path = `${standInTools(t, tools)}:${system}`
  const line = 'not-ready: DRBD resource r0 is configured, but not up; bring it up: drbdadm up r0\n'
  t.strictSame(probe(path, 'drbd:r0'), { status: 4, stdout: line, stderr: '' })
})

t.test('tools that are missing, fail, hang or write without end: unknown, with a hint', async t => {
  const answers: readonly [tools: { drbdsetup?: string }, line: RegExp][] = [
    [{}, /^unknown: .*there is no drbdsetup in PATH; install drbd-utils/],
    [{ drbdsetup: 'echo "no module" >&2; exit 20' }, /^unknown: .*events2 ended with 20: no module; run/],
    [{ drbdsetup: 'kill -9 $$' }, /^unknown: .*ended with a signal/],
    [{ drbdsetup: 'exec sleep 60' }, /^unknown: .*not done within 300 ms; look at/],
    [{ drbdsetup: 'exec yes' }, /^unknown: .*wrote more than 1048576 bytes/],
  ]
  for (const [tools, line] of answers) {
    const found = probe(`${standInTools(t, tools)}:${system}`, '/dev/drbd0', '--timeout', '300ms')
    t.match(found, { status: 2, stdout: line, stderr: '' })
    t.equal(found.stdout.split('\n').length, 2, 'one line')
  }
})

t.test('what a tool writes is shown, and does nothing to a terminal', async t => {
  const path = `${standInTools(t, { drbdsetup: "printf '\\033[2Jno\\nmodule' >&2; exit 1" })}:${system}`
  const { stdout } = probe(path, '/dev/drbd0')
  t.match(stdout, /^unknown: [ -~]+ended with 1: ␛\[2Jno␊module; run [ -~]+\n$/)
})

t.test('a resource name of the kernel that would be an option reaches no tool', async t => {
  const path = `${standInTools(t, {
    drbdsetup: drbdsetup({ events: events.replaceAll('name:r0 ', 'name:--force '), show: protocolD }),
  })}:${system}`
  t.match(probe(path, '/dev/drbd0'), { status: 2, stdout: /^unknown: .*a resource named --force/ })
})

t.test('wrong usage is none of the five answers', async t => {
  t.match(probe(system), { status: 64, stderr: /probe takes one word, not 0: DEVICE\|drbd:RES/ })
  t.match(probe(system, '/dev/drbd0', '/dev/drbd1'), { status: 64, stderr: /probe takes one word, not 2/ })
  t.match(probe(system, '/dev/drbd0', '--control', '/x'), { status: 64, stderr: /--control has no meaning with probe/ })
  t.match(probe(system, '/dev/drbd0', '--timeout', 'soon'), { status: 64 })
})

t.test('SIGTERM ends it, and the tool that hangs', async t => {
  const folder = standInTools(t, { drbdsetup: 'echo $$ >"$(dirname "$0")/pid"; exec sleep 60' })
  const child = spawn(process.execPath, [command, 'probe', '/dev/drbd0'], { env: { PATH: `${folder}:${system}` } })
  const pidFile = join(folder, 'pid')
  while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await delay(10)
  const tool = Number(readFileSync(pidFile, 'utf8'))
  child.kill('SIGTERM')
  const [status] = await once(child, 'exit')
  t.equal(status, 143)
  while (isAlive(tool)) await delay(10)
})

function isAlive(pid: number): boolean {
  try {
    // a dead one that nobody has waited for yet is no process any more
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
