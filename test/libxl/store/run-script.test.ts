import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { nodeHost } from 'xenlight'

const host = nodeHost()

/** A script of a test's, and where it can leave files. */
function scriptIn(t: Test, text: string, mode = 0o755): { script: string; dir: string } {
  const dir = t.testdir({ script: text })
  const script = join(dir, 'script')
  chmodSync(script, mode)
  return { script, dir }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function dies(pid: number): Promise<boolean> {
  for (let turns = 0; turns < 500 && isAlive(pid); turns++) await delay(10)
  return !isAlive(pid)
}

t.test('a script gets its arguments, environment and no input, and no shell sees them', async t => {
  const { script, dir } = scriptIn(
    t,
    '#!/bin/sh\nprintf "%s|" "$@" "$XENBUS_PATH" "$OWN" > "$DIR/out"\ncat >> "$DIR/out"\necho said\necho warned >&2\nexit 3\n',
  )
  Object.assign(process.env, { OWN: 'kept' })
  const env = { XENBUS_PATH: 'backend/vbd/1/51712; touch x', DIR: dir }
  const outcome = await host.runScript({ script, args: ['add', '$(touch x)', 'a b'], env, timeout: 60_000 })
  t.equal(outcome.status, 3)
  t.match(outcome.stderr, /said/, 'standard output is joined to standard error')
  t.match(outcome.stderr, /warned/)
  t.equal(readFileSync(join(dir, 'out'), 'utf8'), 'add|$(touch x)|a b|backend/vbd/1/51712; touch x|kept|')
})

t.test('of what it writes the end is kept', async t => {
  const { script } = scriptIn(t, '#!/bin/sh\nyes 0123456789abcdef | head -c 3000000 >&2\necho the end >&2\nexit 1\n')
  const { status, stderr } = await host.runScript({ script, args: [], env: {}, timeout: 60_000 })
  t.equal(status, 1)
  t.ok(stderr.length <= 4096)
  t.match(stderr, /the end\n$/)
})

t.test('a script that takes too long is killed with all that it started', async t => {
  const { script, dir } = scriptIn(t, '#!/bin/sh\nsleep 1000 &\necho $! > "$DIR/pid"\necho busy >&2\nwait\n')
  const outcome = await host.runScript({ script, args: [], env: { DIR: dir }, timeout: 2000 })
  t.strictSame(outcome, { status: undefined, reason: 'timed out', stderr: 'busy\n' })
  t.ok(await dies(Number(readFileSync(join(dir, 'pid'), 'utf8'))), 'its child too')
})

t.test('so is one that is given up', async t => {
  const { script, dir } = scriptIn(t, '#!/bin/sh\necho $$ > "$DIR/pid"\nexec sleep 1000\n')
  const aborting = new AbortController()
  const running = host.runScript({ script, args: [], env: { DIR: dir }, timeout: 60_000, signal: aborting.signal })
  while (!existsSync(join(dir, 'pid')) || readFileSync(join(dir, 'pid'), 'utf8') === '') await delay(5)
  aborting.abort()
  t.match(await running, { status: undefined, reason: 'aborted' })
  t.ok(await dies(Number(readFileSync(join(dir, 'pid'), 'utf8'))))

  writeFileSync(join(dir, 'pid'), '')
  const late = await host.runScript({ script, args: [], env: { DIR: dir }, timeout: 60_000, signal: aborting.signal })
  t.match(late, { status: undefined, reason: 'aborted' })
  t.equal(readFileSync(join(dir, 'pid'), 'utf8'), '', 'one that is given up before is not begun')
})

t.test('what it leaves running goes on, and is not waited for', async t => {
  const { script, dir } = scriptIn(
    t,
    '#!/bin/sh\n(while [ ! -e "$DIR/stop" ]; do echo working; sleep 0.05; done; touch "$DIR/done") &\necho $! > "$DIR/pid"\n',
  )
  const outcome = await host.runScript({ script, args: [], env: { DIR: dir }, timeout: 60_000 })
  t.equal(outcome.status, 0)
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
  await delay(300)
  t.ok(isAlive(pid), 'its pipe is still open')
  writeFileSync(join(dir, 'stop'), '')
  t.ok(await dies(pid))
  t.ok(existsSync(join(dir, 'done')))
})

t.test('a script that cannot be run is an outcome, not an exception', async t => {
  const { script, dir } = scriptIn(t, '#!/bin/sh\nexit 0\n', 0o644)
  const { script: deadly } = scriptIn(t, '#!/bin/sh\nkill -TERM $$\n')
  const cases: [script: string, reason: string][] = [
    [join(dir, 'nowhere'), 'No such file or directory'],
    [dir, 'Permission denied'],
    [deadly, 'killed by signal SIGTERM'],
    ['/bin/\udcff', 'a name that is not UTF-8 text'],
    ['/bin/true\0', 'a name that is not UTF-8 text'],
  ]
  if (process.getuid?.() !== 0) cases.push([script, 'Permission denied'])
  for (const [script, reason] of cases) {
    const outcome = await host.runScript({ script, args: [], env: {}, timeout: 60_000 })
    t.strictSame(outcome, { status: undefined, reason, stderr: '' }, JSON.stringify(script))
  }
})
