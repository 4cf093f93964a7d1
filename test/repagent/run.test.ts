import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '#xenlight/repagent/run.js'
import { needs } from '../nbd/programs.js'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { InterruptedIo } from '../replication-command/interrupted-io.js'
import { playedControl, Refusal } from '../replication-command/played-control.js'
import { realPart } from '../support/real-part.js'
import { runWith } from './run-with.js'

const verbs: string[][] = [
  ['status'],
  ['pause', 'web'],
  ['resume', 'web'],
  ['stop', 'web'],
  ['start', 'web'],
  ['hold', 'web'],
  ['release', 'web'],
  ['checkpoint', 'web', 'p'],
]

t.test('an agent that is not there', async t => {
  const control = join(socketFolder(t), 'none')
  for (const words of verbs)
    t.match(await runWith([...words, '--control', control]), {
      ...{ status: 1, stdout: '' },
      stderr: `repagent: cannot reach the agent at ${control}: there is no such socket: does it run?\n`,
    })
})

t.test('2 where nothing was changed, 1 for all else', async t => {
  let code = ''
  const { control } = await playedControl(t, () => {
    throw new Refusal(code)
  })
  for (const words of verbs)
    for (const [said, status] of [
      ['not-found', 2],
      ['wrong-state', 2],
      ['lost', 1],
      ['EIO', 1],
    ] as const) {
      code = said
      const ended = await runWith([...words, '--control', control])
      t.strictSame(ended, { status, stdout: '', stderr: 'repagent: not now\n' }, `${words.join(' ')}: ${said}`)
    }
})

t.test('what each verb asks, and says', async t => {
  const hub = { address: 'h:1', name: 'hub' }
  const { control, asked } = await playedControl(t, ({ execute }) => {
    if (execute === 'status') return { name: 'anna', hub, groups: [] }
    return execute === 'checkpoint' ? { name: 'p', sequence: 1, time: 1_000_000 } : {}
  })
  for (const verb of ['pause', 'resume', 'stop', 'start', 'hold', 'release']) {
    t.strictSame(await runWith([verb, 'web', '--control', control]), { status: 0, stdout: '', stderr: '' })
    t.strictSame(asked.at(-1), { execute: verb, arguments: { group: 'web' } })
  }
  const talking = await playedControl(t, () => ({ left: ['the node a\x1b: busy', 7] }))
  t.match(await runWith(['stop', 'web', '--control', talking.control]), {
    ...{ status: 0, stdout: '' },
    stderr: 'repagent: left in QEMU: the node a␛: busy\nrepagent: left in QEMU: 7\n',
  })
  const point = 'checkpoint p of 1970-01-01 00:00:01Z\n'
  t.match(await runWith(['checkpoint', 'web', 'p', '--control', control]), { status: 0, stdout: point })
  t.strictSame(asked.at(-1), { execute: 'checkpoint', arguments: { group: 'web', name: 'p' } })
  t.match(await runWith(['status', '--control', control]), {
    status: 0,
    stdout: /^agent anna, connected .*\nno groups\n$/,
  })
  const json = await runWith(['status', '--json', '--control', control])
  t.strictSame(JSON.parse(json.stdout), { exit: 0, name: 'anna', hub, groups: [] })
  t.match(await runWith(['status', 'web', '--control', control]), {
    ...{ status: 2, stdout: '' },
    stderr: 'repagent: the agent has no group web; it has none\n',
  })
})

t.test('a header for a raw disk, and how QEMU opens it', async t => {
  const isHere = await realPart(t, () => {
    needs('qemu-img')
    return true
  })
  if (!isHere) return
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('disk\x7f'), Buffer.alloc(1024))
  const made = await runWith(['header', at('disk\x7f'), at('h')])
  t.match(made, { status: 0, stderr: '' })
  const [option, json, ...rest] = made.stdout.split('\n')
  t.strictSame([option, ...rest], ['-blockdev', ''])
  t.notMatch(json, '\x7f')
  t.match(JSON.parse(json!), { driver: 'qcow2', 'node-name': 'disk', 'data-file': { filename: at('disk\x7f') } })
  t.match(await runWith(['header', at('disk\x7f'), at('h')]), { status: 2, stdout: '', stderr: /h is there already/ })
  const other = await runWith(['header', at('disk\x7f'), at('h2'), 'root', '--json'])
  t.match(JSON.parse(other.stdout), { header: at('h2'), size: 1024, node: 'root', arguments: ['-blockdev', /root/] })
})

t.test('who watches waits for an agent that is not there', async t => {
  const control = join(socketFolder(t), 'none')
  const io = new InterruptedIo(['status', '--watch', '--control', control])
  const ended = run(io)
  await eventually('it looks', () => io.written[1] !== '')
  io.interrupt('SIGINT')
  t.equal(await ended, 1)
  t.match(io.written[1], /^cannot reach the agent/)
})

t.test('a configuration that cannot be used: all that is wrong, with its places', async t => {
  const file = join(socketFolder(t), 'agent.yaml')
  writeFileSync(
    file,
    'name: a b\nhub: h:1\nstate: /s\nrun: /r\ngroups:\n  web:\n    disks:\n      root: { imag: /i }\n',
  )
  const { status, stdout, stderr } = await runWith(['serve', '--config', file])
  t.equal(status, 64)
  t.equal(stdout, '')
  const [first, ...lines] = stderr.trimEnd().split('\n')
  t.equal(first, 'repagent: the configuration cannot be used:')
  t.ok(lines.length >= 2)
  t.ok(
    lines.every(line => /^\S+agent\.yaml:\d+:\d+: /.test(line)),
    stderr,
  )
  t.match(stderr, `\n${file}:1:7: name: `)
  t.match(stderr, `\n${file}:8:15: `)
  t.match(await runWith(['serve', '--config', `${file}.none`]), {
    status: 1,
    stderr: /none: No such file or directory/,
  })
})

t.test('a protection that cannot begin leaves nothing behind', async t => {
  const folder = socketFolder(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('image'), '')
  truncateSync(at('image'), 1024 * 1024)
  mkdirSync(at('run'))
  const protect = (image: string, ...options: string[]) =>
    runWith(['protect', 'web', `root=${image}`, '--hub', at('h'), '--state', at('s'), '--run', at('run'), ...options])
  t.match(await protect(at('none')), { status: 1, stdout: '', stderr: /none.*no such file/i })
  t.match(await protect(at('image'), '--tls', folder), { status: 1, stderr: /ca\.pem: No such file/ })
  t.match(await protect(at('image'), '--control', at('no/ctl')), {
    status: 1,
    stderr: /no\/ctl: the folder is not there/,
  })
  // none of them has it still
  const io = new InterruptedIo([
    'protect',
    'web',
    `root=${at('image')}`,
    '--hub',
    at('h'),
    '--state',
    at('s'),
    '--run',
    at('run'),
  ])
  const ended = run(io)
  await eventually('it serves', () => /; web: degraded \(/.test(io.written[1]))
  t.match(await protect(at('image'), '--control', at('ctl')), {
    status: 2,
    stderr: /another agent has .*\/s: end that one first/,
  })
  io.interrupt('SIGTERM')
  t.equal(await ended, 143)
  t.equal(io.written[2], '')
})

t.test('a reader that has gone, help, version, completion', async t => {
  t.match(await runWith(['--help'], { failing: 'EPIPE' }), { status: 141, stderr: '' })
  t.match(await runWith(['-h']), { status: 0, stdout: /^Usage: repagent VERB/, stderr: '' })
  t.match(await runWith(['--version']), { status: 0, stdout: /^repagent \d+\.\d+\.\d+/ })
  for (const shell of ['bash', 'zsh', 'fish'])
    t.match(await runWith(['--completion', shell]), { status: 0, stdout: new RegExp(`# ${shell} completion`) })
})
