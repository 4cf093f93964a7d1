import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '#xenlight/xl-remus/run.js'
import { eventually } from '../protocol-d/eventually.js'
import { FakeIo } from '../xl-colo/fake-io.js'
import { runWith } from './run-with.js'

const status = { role: 'secondary', isWriter: false, disk: 'consistent', connection: 'none', mode: 'direct' }

/** What stands at a control socket: it answers so many requests, and then none. */
async function node(t: Test, answers: number) {
  const folder = mkdtempSync(join(tmpdir(), 'resync-'))
  const control = join(folder, 'ctl')
  const asked: string[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', bytes => {
      const { id, execute } = JSON.parse(bytes.toString()) as { id: number; execute: string }
      asked.push(execute)
      if (asked.length > answers) return
      const more = { whyLost: '', why: '', peerRole: 'unknown', checkpoint: 0 }
      socket.write(`${JSON.stringify({ id, return: execute === 'status' ? { ...status, ...more } : null })}\n`)
    })
  })
  await new Promise<void>(resolve => server.listen(control, resolve))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { control, asked }
}

class InterruptedIo extends FakeIo {
  interrupt = (_: NodeJS.Signals) => {}

  override onSignal(listener: (signal: NodeJS.Signals) => void): Disposable {
    this.interrupt = listener
    return { [Symbol.dispose]: () => {} }
  }
}

t.test('its time limit ends it, also where a node answers nothing, or nothing more', async t => {
  for (const [answers, discard] of [
    [0, []],
    [0, ['--discard']],
    [1, ['--discard']],
    [1, []],
    [2, []],
  ] as const) {
    const { control, asked } = await node(t, answers)
    const ended = await runWith(['resync', '--control', control, '--timeout', '500ms', ...discard])
    t.match(ended, { status: 5, stderr: /: not done within \d+ ms\n$/ }, `${answers} answers ${discard}`)
    t.equal(asked.length, answers + 1)
  }
})

t.test('a node that answers to the end: the exit status is that of what it said', async t => {
  const { control } = await node(t, Number.POSITIVE_INFINITY)
  const ended = await runWith(['resync', '--control', control, '--timeout', '500ms'])
  t.match(ended, { status: 10, stdout: /^secondary, consistent; peer: not connected; .*\n$/, stderr: '' })
})

t.test('an interruption is one, whatever is waited for', async t => {
  for (const [answers, discard] of [
    [0, []],
    [0, ['--discard']],
    [1, []],
    [Number.POSITIVE_INFINITY, []],
  ] as const) {
    const { control, asked } = await node(t, answers)
    const io = new InterruptedIo(['resync', '--control', control, ...discard])
    const ended = run(io)
    await eventually('it waits', () => asked.length > Math.min(answers, 1))
    io.interrupt('SIGINT')
    t.equal(await ended, 130)
    t.equal(io.written[2], '')
  }
})
