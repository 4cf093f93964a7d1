import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readAgentConfig, readHubConfig } from 'xenlight/replication'
import { exitStatuses } from '#xenlight/rephub/exit-status.js'
import { options } from '#xenlight/rephub/option-table.js'
import { verbNames } from '#xenlight/rephub/verbs.js'
import { needs } from '../nbd/programs.js'
import { eventually } from '../protocol-d/eventually.js'
import { freePort } from '../protocol-d/free-port.js'
import { testDocumentation } from '../support/documented-command.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import type { Staying } from '../support/staying.js'
import { hosts } from './real-hosts.js'
import { runWith } from './run-with.js'

const page = readFileSync(join(projectRoot, 'docs/rephub.md'), 'utf8')

testDocumentation({
  name: 'rephub',
  page: 'rephub',
  help: async () => (await runWith(['--help'])).stdout,
  options,
  verbs: verbNames,
  exitStatuses,
  widest: 120,
})

t.test("the page's configurations can be used", async t => {
  const [agent, hub] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!)
  const [, manual] = /^A configuration:\n\.Bd -literal\n([\s\S]*?)\.Ed/m.exec(
    readFileSync(join(projectRoot, 'man/repagent.1'), 'utf8'),
  )!
  t.match(readAgentConfig(agent!, 'agent'), { name: 'anna', groups: { web: { disks: { data: { format: 'qcow2' } } } } })
  t.match(readAgentConfig(manual!, 'manual'), { name: 'anna', state: '/var/lib/repagent' })
  t.match(readHubConfig(hub!, 'hub'), { data: '/srv/rephub', groups: { web: { agents: ['anna'] } } })
  // what is shown is the default
  const without = (text: string, ...keys: string[]) =>
    text
      .split('\n')
      .filter(line => !keys.some(key => line.startsWith(`${key}:`)))
      .join('\n')
  t.strictSame(readAgentConfig(without(agent!, 'buffer', 'target'), 'agent'), readAgentConfig(agent!, 'agent'))
  t.strictSame(readHubConfig(without(hub!, 'journal', 'limits'), 'hub'), readHubConfig(hub!, 'hub'))
})

interface Step {
  who: string
  command: string
  /** What it writes. */
  says: string
}

/** The session of the page: what is typed where, and what comes of it. */
const session: Step[] = []
for (const [, text] of page.matchAll(/```console\n([\s\S]*?)```/g))
  for (const line of text!.trimEnd().split('\n')) {
    const [, who, command] = /^(anna|hub)([$#] .*)$/.exec(line) ?? []
    if (who !== undefined) session.push({ who, command: command!, says: '' })
    else session.at(-1)!.says += `${line}\n`
  }

/** Times and positions are others each time. */
const alike = (text: string) =>
  text
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replaceAll(/#\d+/g, '#N')
    .replaceAll(/[\d.]+ s ago/g, 'a while ago')

t.test('the session of the page, on this machine', { timeout: 240_000 }, async t => {
  const isHere = await realPart(t, () => {
    needs('qemu-io')
    return true
  })
  if (!isHere) return
  const here = hosts(t)
  const port = await freePort()
  const serving = new Map<string, Staying>()
  /** The paths and the address of that machine, as they are here. */
  const put = (text: string, who: string) =>
    text.replace(/\/(?:srv|run)\//g, `${join(here.folder, who)}/`).replaceAll('10.0.0.2:7900', `127.0.0.1:${port}`)
  for (const name of ['anna', 'hub', 'bin', 'anna/repagent', 'hub/rephub']) mkdirSync(join(here.folder, name))
  // the commands as their users have them: with usual places, which are others here
  const places = {
    repagent: `--control '${join(here.folder, 'anna/repagent/control.sock')}'`,
    rephub: `--control '${join(here.folder, 'hub/rephub/control.sock')}'`,
  }
  for (const [name, options] of Object.entries(places)) {
    const command = join(projectRoot, `dist/bin/${name}.cjs`)
    writeFileSync(
      join(here.folder, 'bin', name),
      `#!/bin/sh\nexec '${process.execPath}' '${command}' "$@" ${options}\n`,
      {
        mode: 0o700,
      },
    )
  }
  const { PATH } = process.env
  const env = { PATH: `${here.folder}/bin:${PATH}` }
  t.ok(session.length > 15)
  for (const { who, command, says } of session) {
    t.comment(`${who}${command}`)
    if (command === '# kill -9') {
      serving.get(who)!.child.kill('SIGKILL')
      await serving.get(who)!.ended
      continue
    }
    const typed = put(command.slice(2), who)
    const [, name, args] = /^(rephub|repagent) ((?:serve|protect) .*) &$/.exec(typed) ?? []
    if (name !== undefined) {
      const folder = join(here.folder, who, name)
      const own =
        name === 'rephub'
          ? ['--config', join(here.folder, 'hub/config')]
          : ['--state', join(here.folder, 'anna/state'), '--run', folder]
      // whose machine it is
      writeFileSync(join(here.folder, 'hub/config'), `name: hub\ndata: ${join(here.folder, 'hub/rephub')}\n`)
      const control = join(folder, 'control.sock')
      serving.set(who, here.stay(name as 'rephub', ...args!.split(' '), ...own, '--control', control))
      await serving.get(who)!.until(name === 'rephub' ? /^hub hub: / : /connected to the hub/)
      continue
    }
    let said = ''
    await eventually(
      `${typed} says ${says}`,
      async () => {
        const ended = promisify(execFile)('bash', ['--norc', '-c', typed], { env })
        said = await ended.then(
          ({ stdout }) => stdout,
          error => `${error.stdout}${error.stderr}`,
        )
        // what is only read may be so a little later
        return alike(said) === alike(put(says, who)) || !/ (status|failback) /.test(`${typed} `)
      },
      () => said,
    )
    if (typed.startsWith('qemu-io')) t.notMatch(said, /failed/i)
    else t.equal(alike(said), alike(put(says, who)), typed)
  }
})
