import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import * as xenlight from 'xenlight'
import * as checkpoint from 'xenlight/checkpoint'
import * as remus from 'xenlight/remus'
import { remusErrorCodes } from '#xenlight/remus/remus-error.js'
import { exitStatuses } from '#xenlight/xl-remus/exit-status.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { ioctlPreload, node, plainFile, startedBy, temporaryFolder } from './ioctl-start.js'
import { drbdsetup, standInTools } from './stand-in-tools.js'

const page = readFileSync(join(projectRoot, 'docs/remus.md'), 'utf8')
const recorded = (name: string) => readFileSync(join(projectRoot, `test/remus/recorded/8.4-${name}.txt`), 'utf8')

/** The example below a heading, as a function of what it takes for given. */
function example(heading: string, ...given: string[]): (...values: unknown[]) => Promise<unknown> {
  const [, code = ''] = new RegExp(`^## ${heading}\n[^]*?\`\`\`js\n([^]*?)\`\`\``, 'm').exec(page) ?? []
  const body = code.replace(/^import (.*) from ('.*')$/gm, 'const $1 = modules[$2]')
  const results = 'typeof ended === "undefined" ? undefined : { reason, committed, guest, failure }'
  return new Function('modules', ...given, `return (async () => { ${body}\nreturn ${results} })()`) as never
}

/** A host whose DRBD has protocol D, and whose ioctls and FIFOs are ours; what was done there, in order. */
function host(t: Test, preload: string) {
  const folder = temporaryFolder(t)
  const log = join(folder, 'log')
  writeFileSync(log, '')
  startedBy(
    t,
    folder,
    `LD_PRELOAD='${preload}' XENLIGHT_IOCTL_SECONDS=0 XENLIGHT_IOCTL_LOG='${log}' exec '${node}' "$@"`,
  )
  const show = recorded('primary-show').replace('net {', 'net {\n        protocol D;')
  const tools = standInTools(t, { drbdsetup: drbdsetup({ events: recorded('primary-events2'), show }) })
  const { env } = process as { env: { PATH?: string | undefined } }
  const { PATH } = env
  env.PATH = `${tools}:${PATH}`
  t.teardown(() => {
    env.PATH = PATH
  })
  const did = (what: string) => async () => appendFileSync(log, `${what}\n`)
  const openDrbdDevice: remus.OpenDrbdDevice = async (path, options) => {
    t.equal(path, '/dev/drbd0')
    return await remus.openDrbdDevice(plainFile(folder), options)
  }
  const openTapFifos = async (path: string) => {
    t.equal(path, '/var/run/tap/remus_192.0.2.1_9000')
    return await remus.openTapFifos(join(folder, basename(path)))
  }
  const modules = {
    xenlight,
    'xenlight/checkpoint': checkpoint,
    'xenlight/remus': { ...remus, openDrbdDevice, openTapFifos },
  }
  return { folder, did, modules, done: () => readFileSync(log, 'utf8').trim().split('\n') }
}

t.test('libxl’s way: each epoch in its order, by the real ioctls', async t => {
  const preload = await realPart(t, ioctlPreload)
  if (preload === undefined) return
  const { did, modules, done } = host(t, preload)
  const hooks = ['suspend', 'copyMemory', 'resume', 'sendCheckpoint'] as const
  const told: number[] = []
  const console = { log: (...numbers: number[]) => void told.push(numbers[0]!) }
  const run = example("libxl's way, of 2014", ...hooks, 'console')
  const end = await run(modules, ...hooks.map(did), console)
  t.same(end, { reason: 'stopped', committed: 3, guest: 'running', failure: undefined })
  const epoch = ['suspend', 'SEND', 'copyMemory', 'WAIT', 'resume', 'sendCheckpoint']
  t.same(done(), [...epoch, ...epoch, ...epoch])
  t.same(told, [1, 2, 3])
})

t.test('xend’s way: DRBD beside tapdisk', async t => {
  const preload = await realPart(t, ioctlPreload)
  if (preload === undefined) return
  const { folder, did, modules, done } = host(t, preload)
  const fifo = join(folder, 'remus_192.0.2.1_9000')
  execFileSync('mkfifo', [fifo, `${fifo}.msg`])
  const [orders, messages] = await Promise.all([open(fifo, 'r+'), open(`${fifo}.msg`, 'r+')])
  t.teardown(() => Promise.all([orders.close(), messages.close()]))
  const tapdisk = orders.read(Buffer.alloc(5), 0, 5, null).then(async ({ buffer }) => {
    await messages.write('done')
    return buffer.toString('latin1')
  })
  await example("xend's way, of 2011", 'suspend', 'resume')(modules, did('suspend'), did('resume'))
  t.equal(await tapdisk, 'flush')
  t.same(done(), ['suspend', 'SEND', 'WAIT', 'resume'])
})

t.test('it has the five answers of the probe, with their exit statuses', async t => {
  const rows = [...page.matchAll(/^\| (\d) \| `([\w-]+)` \|/gm)].map(([, status, outcome]) => [outcome, Number(status)])
  t.same(Object.fromEntries(rows), remus.probeStatuses)
  for (const status of Object.values(remus.probeStatuses))
    t.ok(
      Object.values(exitStatuses).some(([number]) => number === status),
      `--help has ${status}`,
    )
})

t.test('docs/errors.md has every code of RemusError, and no other', async t => {
  const [, section = ''] = readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8').split('\n## RemusError\n')
  const [own = ''] = section.split('\n## ')
  t.same(
    [...own.matchAll(/^\| `([\w-]+)`/gm)].map(([, code]) => code),
    [...remusErrorCodes],
  )
})
