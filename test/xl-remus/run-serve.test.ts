import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connectDiskControl } from 'xenlight/protocol-d'
import { run } from '#xenlight/xl-remus/run.js'
import { needs } from '../nbd/programs.js'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import { FakeIo } from '../xl-colo/fake-io.js'
import { machine } from './real-nodes.js'

/** A process whose reader takes a line when the test says so. */
class SlowReaderIo extends FakeIo {
  readonly lines: string[] = []
  /** What becomes of the line that is on its way. */
  through = () => {}
  fail = (_: Error) => {}
  interrupt = (_: NodeJS.Signals) => {}

  override writeLater(text: string): Promise<void> {
    this.lines.push(text)
    return new Promise((resolve, reject) => {
      this.through = resolve
      this.fail = reject
    })
  }

  override onSignal(listener: (signal: NodeJS.Signals) => void): Disposable {
    this.interrupt = listener
    return { [Symbol.dispose]: () => {} }
  }
}

/** A new node, and the words that serve it. */
async function made(t: Test) {
  const here = await machine(t)
  const node = here.node('anna', 'listen')
  await node.create()
  const sockets = ['--nbd', node.nbd, '--control', node.control, '--listen', join(here.folder, 'peer')]
  return { node, here, serve: ['serve', node.image, '--pair-file', here.pairFile, ...sockets] }
}

t.test('a reader that stands still has the first line and the newest; the node waits for none', async t => {
  const { node, serve } = await made(t)
  const io = new SlowReaderIo(serve)
  const ended = run(io)
  t.teardown(() => io.interrupt('SIGTERM'))
  await eventually('it can be asked', () => existsSync(node.control))
  await using control = await connectDiskControl(node.control)
  const limits = { timeout: 10_000 }
  await control.promote({ force: true }, limits)
  await control.demote({}, limits)
  await control.promote({}, limits)
  t.equal(io.lines.length, 1)
  t.match(io.lines[0], /^secondary, inconsistent; /)
  io.through()
  await eventually('it goes on', () => io.lines.length > 1)
  t.match(io.lines[1], /^primary, consistent; /)
  io.through()
  await control.demote({}, limits)
  await eventually('it says what changed', () => io.lines.length > 2)
  t.match(io.lines[2], /^secondary, consistent; /)

  io.fail(new Error('the reader has gone'))
  await control.promote({}, limits)
  t.match(await control.status(limits), { role: 'primary' }, 'it serves on')
  io.interrupt('SIGTERM')
  t.equal(await ended, 143)
  t.equal(io.lines.length, 3, 'nobody is told any more')
  t.equal(io.written[2], '')
})

t.test('a reader that has gone ends no node', async t => {
  const { node, here, serve } = await made(t)
  const serving = here.stay(...serve)
  await serving.until(/^secondary/)
  serving.child.stdout!.destroy()
  for (const verb of ['promote', 'demote', 'promote'])
    t.match(await node.ask(verb, ...(verb === 'promote' ? ['--force'] : [])), { status: 0 })
  t.match(await node.status(), { role: 'primary' })
  serving.child.kill('SIGTERM')
  t.match(await serving.ended, { status: 143, stderr: '' })
  t.notOk(existsSync(node.control))
})

const command = join(projectRoot, 'dist/bin/xl-remus.cjs')

/** What stands between the node and a reader that reads nothing, by the shell's line that starts it. */
const readers: [what: string, line: string][] = [
  ['a pipe', 'sh -c "echo \\$\\$ >pid; exec $*" | sleep 600'],
  ['a terminal', 'script -qec "echo \\$\\$ >pid; exec $*" /dev/null </dev/null | sleep 600'],
]

for (const [what, line] of readers)
  t.test(`${what} that is full does not freeze the node`, async t => {
    const isHere = await realPart(t, () => {
      if (line.startsWith('script')) needs('script')
      return true
    })
    if (!isHere) return
    const { node, here, serve } = await made(t)
    const { PATH } = process.env
    const child: ChildProcess = spawn('sh', ['-c', line, 'sh', process.execPath, command, ...serve, '--json'], {
      cwd: here.folder,
      env: { PATH, SHELL: '/bin/sh' },
      stdio: 'ignore',
      detached: true,
    })
    t.teardown(() => process.kill(-child.pid!, 'SIGKILL'))
    await eventually('it can be asked', () => existsSync(node.control))
    await using control = await connectDiskControl(node.control)
    const limits = { timeout: 10_000 }
    // more than the system keeps of its lines
    for (let said = 0; said < 256 * 1024; ) {
      await control.promote({ force: true }, limits)
      await control.demote({}, limits)
      said += 2 * JSON.stringify(await control.status(limits)).length
    }
    t.match(await control.status(limits), { role: 'secondary' })
    const pid = Number(readFileSync(join(here.folder, 'pid'), 'utf8'))
    process.kill(pid, 'SIGTERM')
    await eventually('it ends', () => !existsSync(`/proc/${pid}/exe`))
    t.notOk(existsSync(node.control))
  })
