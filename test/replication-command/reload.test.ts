import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { notifySocket } from '../service/notify-socket.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { staying } from '../support/staying.js'

/** A hub and an agent in a folder, as commands with configuration files. */
function here(t: Test) {
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  for (const name of ['run', 'state']) mkdirSync(at(name))
  for (const name of ['web.img', 'mail.img']) {
    writeFileSync(at(name), '')
    truncateSync(at(name), 1024 * 1024)
  }
  const { PATH } = process.env
  const start = (command: string, words: readonly string[], env = {}) => {
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', process.execPath, join(projectRoot, `dist/bin/${command}.cjs`), ...words],
      { cwd: folder, env: { PATH, ...env } },
    )
    t.teardown(() => child.kill('SIGKILL'))
    return staying(child)
  }
  const hub = (more: object = {}) =>
    writeFileSync(
      at('hub.yaml'),
      JSON.stringify({ data: at('copies'), listen: at('h'), control: at('hub.ctl'), name: 'vm', ...more }),
    )
  const agent = (groups: object, more: object = {}) =>
    writeFileSync(
      at('agent.yaml'),
      JSON.stringify({
        ...{ name: 'anna', hub: at('h'), state: at('state'), run: at('run'), control: at('agent.ctl'), groups },
        ...more,
      }),
    )
  const group = (name: string) => ({ disks: { root: { image: at(`${name}.img`) } } })
  return { folder, at, start, hub, agent, group }
}

const end = async (t: Test, { child, ended }: ReturnType<typeof staying>, status = 143) => {
  child.kill('SIGTERM')
  t.match(await ended, { status, stderr: '' })
}

/** Asks a command to read its configuration again. */
const hangUp = ({ child }: { child: ChildProcess }) => child.kill('SIGHUP')

t.test('SIGHUP: groups come and go, and a guest and its stream go on', async t => {
  const { at, start, hub, agent, group } = here(t)
  hub({ groups: { web: { agents: ['anna'] } } })
  agent({ web: group('web') })
  const serving = start('rephub', ['serve', '--config', 'hub.yaml'])
  await serving.until(/web: empty/)
  const protecting = start('repagent', ['serve', '--config', 'agent.yaml'])
  await protecting.until(/web: protected/)
  await using disk = await connectNbd({ path: at('run/web.root.sock') }, { export: 'web/root' })

  agent({ web: group('web'), mail: group('mail') })
  hangUp(protecting)
  await protecting.until(/agent\.yaml was read again: added: mail\n/)
  await protecting.until(/mail: FAILED \(the agent "anna" may not send the group mail/)
  hub({ groups: { web: { agents: ['anna'] }, mail: {} }, journal: { size: '50M' } })
  hangUp(serving)
  await serving.until(/hub\.yaml was read again: added: mail; settings: journal\n/)
  await protecting.until(/mail: protected/)
  await disk.write(0, Buffer.from('goes on'))
  t.notMatch(serving.stdout(), /disconnected/)
  t.equal(protecting.stdout().match(/web: syncing/g)?.length ?? 0, 1, 'its first copy is the only one')

  agent({ web: group('web') })
  hangUp(protecting)
  await protecting.until(/agent\.yaml was read again: removed: mail\n/)
  await serving.until(/mail: disconnected/)
  t.equal(Buffer.from(await disk.read(0, 7)).toString(), 'goes on')
  hangUp(protecting)
  await protecting.until(/agent\.yaml was read again: nothing has changed\n/)
  await disk.disconnect()
  await end(t, protecting)
  await end(t, serving)
})

t.test('a file that is wrong changes nothing, and all that is wrong with it is said', async t => {
  const { at, start, hub, agent, group } = here(t)
  hub()
  agent({ web: group('web') })
  const serving = start('rephub', ['serve', '--config', 'hub.yaml', '--json'])
  await serving.until(/"event":"status"/)
  const protecting = start('repagent', ['serve', '--config', 'agent.yaml', '--json'])
  await protecting.until(/"state":"protected"/)
  const failed = ({ stdout }: { stdout(): string }) =>
    stdout()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ event }) => event === 'reload-failed')

  writeFileSync(at('hub.yaml'), 'data: /x\nlimits: { groups: none }\njournal: { size: much, age: 1 }\n')
  hangUp(serving)
  await serving.until(/"reload-failed"/)
  t.match(failed(serving), [{ level: 'error', file: 'hub.yaml' }])
  t.match(failed(serving)[0].problems.sort(), [/^hub\.yaml:2:/, /^hub\.yaml:3:.*size/, /^hub\.yaml:3:.*'age'/])
  hub({ listen: at('other'), nbd: at('n'), groups: { web: { agents: ['nobody'] } } })
  hangUp(serving)
  await eventually('it is said', () => failed(serving).length === 2)
  t.strictSame(failed(serving)[1].problems, [
    'listen has changed: restart to change it',
    'nbd has changed: restart to change it',
  ])

  agent({ web: group('web') }, { name: 'berta', buffer: { memory: '32M' } })
  hangUp(protecting)
  await eventually('it is said', () => failed(protecting).length === 1)
  t.strictSame(failed(protecting)[0].problems, [
    'name has changed: restart to change it',
    'buffer has changed: restart to change it',
  ])
  {
    await using _ = await connectNbd({ path: at('run/web.root.sock') }, { export: 'web/root' })
    agent({ mail: group('mail') })
    hangUp(protecting)
    await eventually('it is said', () => failed(protecting).length === 2)
    t.match(failed(protecting)[1].problems, [/^a guest has the disks of web: /])
    writeFileSync(at('agent.yaml'), '{')
    hangUp(protecting)
    await eventually('it is said', () => failed(protecting).length === 3)
  }
  const last = protecting
    .stdout()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
    .findLast(({ event }) => event === 'status')
  t.match(last.groups, [{ name: 'web', volumes: [{ state: { state: 'protected' } }] }])
  t.notMatch(serving.stdout(), /"state":"disconnected"/)
  await end(t, protecting)
  await end(t, serving)
})

t.test('the manager hears of a reload, also of one that is refused', async t => {
  const { at, start, hub } = here(t)
  const socket = await realPart(t, () => notifySocket(t, at('notify')))
  if (socket === undefined) return
  hub()
  const serving = start('rephub', ['serve', '--config', 'hub.yaml'], { NOTIFY_SOCKET: socket.name })
  await socket.until('READY=1')
  const states = () => socket.messages.flat().filter(one => /^(READY|RELOADING)/.test(one))
  hangUp(serving)
  await eventually('it is ready again', () => states().length === 3)
  writeFileSync(at('hub.yaml'), 'data')
  hangUp(serving)
  await eventually('it is ready again', () => states().length === 5)
  t.strictSame(states(), ['READY=1', 'RELOADING=1', 'READY=1', 'RELOADING=1', 'READY=1'])
  await end(t, serving)
})

t.test('without a configuration file SIGHUP ends the command', async t => {
  const { at, start } = here(t)
  const sockets = ['--listen', at('h'), '--control', at('hub.ctl')]
  const serving = start('rephub', ['serve', '--data', at('copies'), ...sockets])
  await serving.until(/^hub/)
  hangUp(serving)
  t.match(await serving.ended, { status: 129 })
  const where = ['--hub', at('h'), '--state', at('state'), '--run', at('run'), '--control', at('agent.ctl')]
  const protecting = start('repagent', ['protect', 'web', `root=${at('web.img')}`, '--name', 'anna', ...where])
  await protecting.until(/not connected/)
  hangUp(protecting)
  t.match(await protecting.ended, { status: 129 })
})

t.test('many at once are read one after the other, and the last one is not left out', async t => {
  const { start, hub } = here(t)
  hub({ groups: {} })
  const serving = start('rephub', ['serve', '--config', 'hub.yaml'])
  await serving.until(/^hub/)
  for (let number = 0; number < 20; number++) {
    hub({ groups: { [`group-${number}`]: {} } })
    hangUp(serving)
  }
  await serving.until(/group-19: empty/)
  await end(t, serving)
})
