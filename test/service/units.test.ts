import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { exitStatus as agentStatus } from '#xenlight/repagent/exit-status.js'
import { exitStatus as hubStatus } from '#xenlight/rephub/exit-status.js'
import { exitStatus as coloStatus } from '#xenlight/xl-colo/exit-status.js'
import { exitStatus as remusStatus } from '#xenlight/xl-remus/exit-status.js'
import { needs } from '../nbd/programs.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'

const run = promisify(execFile)
const folder = join(projectRoot, 'systemd')
const units = readdirSync(folder).filter(name => name.endsWith('.service'))
const textOf = (unit: string) => readFileSync(join(folder, unit), 'utf8')
const page = readFileSync(join(projectRoot, 'docs/services.md'), 'utf8')

/** All values of a setting. */
const settings = (unit: string, name: string): string[] =>
  [...textOf(unit).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value]) => value!)

const analyze = async (...args: string[]) => {
  try {
    const { stdout, stderr } = await run('systemd-analyze', args)
    return { status: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { status: code, stdout, stderr }
  }
}

t.test('systemd understands all of each unit', async t => {
  if ((await realPart(t, () => needs('systemd-analyze') ?? true)) === undefined) return
  const at = t.testdir({})
  for (const unit of units) {
    // who installs it has the command in systemd's path
    const text = textOf(unit).replace(/^ExecStart=(\S+)/m, (_, name) => `ExecStart=${projectRoot}/dist/bin/${name}.cjs`)
    const file = join(at, unit)
    writeFileSync(file, text)
    t.strictSame(await analyze('verify', '--man=no', file), { status: 0, stdout: '', stderr: '' }, unit)
    writeFileSync(file, text.replace('NoNewPrivileges', 'NoNewPrivilege'))
    t.match((await analyze('verify', '--man=no', file)).stderr, /Unknown key/, 'what it does not understand it says')
  }
})

t.test('each unit is exposed as little as docs/services.md says', async t => {
  if ((await realPart(t, () => needs('systemd-analyze') ?? true)) === undefined) return
  const rows = [...page.matchAll(/^\| `([\w@-]+\.service)` \|.*\| ([\d.]+) \|$/gm)].map(([, unit, figure]) => ({
    unit: unit!,
    threshold: Math.round(Number(figure) * 10),
  }))
  t.strictSame(rows.map(({ unit }) => unit).sort(), [...units].sort(), 'each has its row')
  const exposed = (unit: string, threshold: number) =>
    analyze('security', '--offline=true', `--threshold=${threshold}`, join(folder, unit))
  for (const { unit, threshold } of rows) {
    const { status, stdout } = await exposed(unit, threshold)
    t.equal(status, 0, stdout.slice(stdout.lastIndexOf('→')).trim())
  }
  t.equal((await exposed(units[0]!, 1)).status, 1, 'a threshold that it does not meet')
})

t.test('no other start is tried where none makes it good', async t => {
  const statuses: Record<string, number[]> = {
    'xenlight-rephub.service': [hubStatus('refused'), hubStatus('wrongUsage')],
    'xenlight-repagent.service': [agentStatus('refused'), agentStatus('wrongUsage')],
    'xl-remus@.service': [remusStatus('refused'), remusStatus('wrongUsage')],
    'xl-colo@.service': [coloStatus('wrongUsage'), coloStatus('refused'), coloStatus('oldEpoch')],
  }
  for (const unit of units) t.strictSame(settings(unit, 'RestartPreventExitStatus'), [statuses[unit]!.join(' ')], unit)
})

t.test('what all of them have', async t => {
  for (const unit of units) {
    for (const [name, value] of [
      ['Type', 'notify'],
      ['NotifyAccess', 'all'],
      ['WatchdogSec', '30'],
      ['Restart', 'on-failure'],
      ['SuccessExitStatus', '130 143'],
      ['CapabilityBoundingSet', ''],
      ['LimitCORE', '0'],
    ] as const)
      t.strictSame(settings(unit, name), [value], `${unit}: ${name}`)
    const [command = '', verb] = settings(unit, 'ExecStart')[0]!.split(' ')
    t.strictSame(settings(unit, 'ExecReload'), /^rep/.test(command) ? ['kill -HUP $MAINPID'] : [], unit)
    t.match(`${command} ${verb}`, /^(rephub serve|repagent serve|xl-remus serve|xl-colo start)$/)
  }
})

t.test('the package has them', async t => {
  const { files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  t.ok(files.includes('systemd'))
})
