import { spawn } from 'node:child_process'
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { notifySocket } from './notify-socket.js'

const bin = (command: string) => join(projectRoot, `dist/bin/${command}.cjs`)

/** Each command that stays, with the words that make it serve in a folder. */
const commands: Record<string, (folder: string) => Promise<string[]>> = {
  rephub: async folder => ['serve', '--data', join(folder, 'copies'), '--control', join(folder, 'ctl')],
  async repagent(folder) {
    writeFileSync(join(folder, 'image'), Buffer.alloc(1024))
    const where = ['--state', join(folder, 'state'), '--run', folder, '--control', join(folder, 'ctl')]
    return ['protect', 'web', `root=${join(folder, 'image')}`, '--hub', join(folder, 'hub'), '--name', 'anna', ...where]
  },
  async 'xl-remus'(folder) {
    writeFileSync(join(folder, 'pair'), 'pair\n')
    const files = [join(folder, 'disk'), '--pair-file', join(folder, 'pair')]
    await ended(start('xl-remus', ['create', ...files, '--size', '1M', '--log-size', '64M'], {}))
    const sockets = ['--nbd', join(folder, 'nbd'), '--control', join(folder, 'ctl'), '--listen', join(folder, 'peer')]
    return ['serve', ...files, ...sockets]
  },
}

interface World {
  env?: Record<string, string>
  /** Where its output goes. */
  stdout?: number | 'ignore'
}

function start(command: string, words: readonly string[], { env = {}, stdout = 'ignore' }: World) {
  const { PATH } = process.env
  // the kernel ends it with the test
  return spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, bin(command), ...words], {
    env: { PATH, ...env },
    stdio: ['ignore', stdout, stdout],
  })
}

const ended = (child: ReturnType<typeof start>): Promise<number | null> =>
  new Promise(resolve => child.once('exit', resolve))

for (const [command, made] of Object.entries(commands)) {
  t.test(`${command} tells its manager that it is ready, how it is, that it lives, and that it ends`, async t => {
    const folder = socketFolder(t)
    const socket = await realPart(t, () => notifySocket(t, join(folder, 'notify')))
    if (socket === undefined) return
    const words = await made(folder)
    const child = start(command, words, { env: { NOTIFY_SOCKET: socket.name, WATCHDOG_USEC: '150000' } })
    const end = ended(child)
    t.teardown(() => child.kill('SIGKILL'))
    await socket.until('READY=1', /^STATUS=./, 'WATCHDOG=1')
    t.match(socket.messages[0], ['READY=1', /^STATUS=./], 'ready first, and how it is with it')
    t.match(socket.messages.flat().filter(one => one.startsWith('STATUS=')).length, 1, 'nothing has changed')
    child.kill('SIGTERM')
    t.equal(await end, 143)
    await socket.until('STOPPING=1')
  })

  t.test(`${command} writes lines with priorities to the journal, and to nothing else`, async t => {
    const folder = socketFolder(t)
    const words = await made(folder)
    t.match(await said(t, folder, command, words, true), /^<[346]>[^<]/)
    t.match(await said(t, folder, command, words, false), /^[^<]/)
  })

  t.test(`${command} --json: each line has a time, a level and its kind`, async t => {
    const folder = socketFolder(t)
    const text = await said(t, folder, command, [...(await made(folder)), '--json'], true)
    const { time, level, event, ...status } = JSON.parse(text.split('\n')[0]!)
    t.equal(new Date(time).toISOString(), time)
    t.match(level, /^(info|warning|error)$/)
    t.equal(event, 'status')
    t.not(Object.keys(status).length, 0, 'and all that it had before')
  })
}

t.test('what a command complains of is an error in the journal', async t => {
  const folder = socketFolder(t)
  writeFileSync(join(folder, 'config'), 'daat: /x\nlisten: 1\n')
  for (const command of ['rephub', 'repagent']) {
    const output = join(folder, `${command}.out`)
    const file = openSync(output, 'w')
    const child = start(command, ['serve', '--config', join(folder, 'config')], { stdout: file, env: journal(file) })
    t.equal(await ended(child), 64)
    closeSync(file)
    const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
    t.ok(lines.length > 2 && lines.every(line => line.startsWith('<3>')), lines.join('\n'))
  }
})

/** What systemd says to a process whose output goes to this file. */
function journal(file: number): Record<string, string> {
  const { dev, ino } = fstatSync(file, { bigint: true })
  return { JOURNAL_STREAM: `${dev}:${ino}` }
}

/** What a command says until it is ended. */
async function said(t: Test, folder: string, command: string, words: readonly string[], isJournal: boolean) {
  const output = join(folder, 'output')
  const file = openSync(output, 'w')
  const env = isJournal ? journal(file) : { JOURNAL_STREAM: '1:1' }
  const child = start(command, words, { stdout: file, env })
  const end = ended(child)
  t.teardown(() => child.kill('SIGKILL'))
  await eventually('it says something', () => readFileSync(output, 'utf8').includes('\n'))
  child.kill('SIGTERM')
  t.equal(await end, 143)
  closeSync(file)
  return readFileSync(output, 'utf8')
}
