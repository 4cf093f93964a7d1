import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { GroupStatus } from 'xenlight/replication'
import { run } from '#xenlight/rephub/run.js'
import { socketFolder } from '../nbd/socket-folder.js'
import { eventually } from '../protocol-d/eventually.js'
import { InterruptedIo } from '../replication-command/interrupted-io.js'
import { type Answers, playedControl, Refusal } from '../replication-command/played-control.js'
import { FakeIo } from '../xl-colo/fake-io.js'
import { runWith } from './run-with.js'

const branch = { name: 'b', kind: 'test', state: 'ready', position: 7, pointTime: 1_000_000 }
const status = { name: 'web', state: 'protected', branches: [branch], history: [] }
const hub = { name: 'hub', agents: [], groups: [], closed: [] }
const volume = {
  ...{ volume: 'root', size: 512, exportName: 'web/b/root', url: 'nbd://h/web%2Fb%2Froot', node: 'replica-0' },
  ...{ blockdev: '{"a":"\x7f"}', disk: 'vdev=hda' },
}
const start = { volumes: [volume], arguments: ['-blockdev', volume.blockdev] }

const usual: Answers = ({ execute }) => {
  if (execute === 'status') return [status]
  if (execute === 'hub') return hub
  if (execute === 'points') return [{ position: 7, time: 1_000_000, name: 'p' }]
  if (execute === 'start') return start
  if (execute === 'test' || execute === 'fail-over') return branch
  if (execute === 'agent') return { name: 'p', sequence: 3, time: 1_000_000 }
  if (execute === 'fail-back') return { epoch: 3, replica: 'r', stream: 's', sequence: 1 }
  return {}
}

/** Each verb, with the words that it needs. */
const verbs: string[][] = [
  ['status'],
  ['points', 'web'],
  ['test', 'web'],
  ['failover', 'web'],
  ['arguments', 'web'],
  ['read', 'web', 'root', '--offset', '0', '--length', '1'],
  ['write', 'web', 'root', '--offset', '0'],
  ['commit', 'web', 'b'],
  ['discard', 'web', 'b'],
  ['failback', 'web'],
  ['checkpoint', 'web', 'p'],
  ['pause', 'web'],
  ['resume', 'web'],
  ['stop', 'web'],
  ['start', 'web'],
  ['hold', 'web'],
  ['release', 'web'],
]

t.test('a hub that is not there', async t => {
  const folder = socketFolder(t)
  for (const words of verbs)
    t.strictSame(
      await runWith([...words, '--control', join(folder, 'none')]),
      {
        status: 1,
        stdout: '',
        stderr: `rephub: cannot reach the hub at ${join(folder, 'none')}: there is no such socket: does it run?\n`,
      },
      words.join(' '),
    )
  writeFileSync(join(folder, 'file'), '')
  t.match(await runWith(['status', '--control', join(folder, 'file')]), { status: 1, stderr: /nobody listens there/ })
})

t.test('something else answers', async t => {
  for (const [raw, why] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', /the hub answers what is no answer/],
    ['{"id":77,"return":null}\n', /the hub answers what is no answer/],
    ['{"id":1,"return":null}\n', /the hub answers what this command does not know: is it of another version\?/],
    ['{"id":1,"return":[7]}\n', /is it of another version\?/],
    ['{"id":1,"return":{"name":"x"}}\n', /is it of another version\?/],
  ] as const) {
    const { control } = await playedControl(t, () => undefined, raw)
    for (const words of verbs.filter(
      ([verb]) =>
        !['write', 'commit', 'discard', 'pause', 'resume', 'stop', 'start', 'hold', 'release'].includes(verb!),
    ))
      t.match(await runWith([...words, '--control', control]), { status: 1, stdout: '', stderr: why }, words.join(' '))
  }
})

t.test('2 where nothing was changed, 1 for all else', async t => {
  let code = ''
  const { control } = await playedControl(t, () => {
    throw new Refusal(code, 'not now\x1b')
  })
  for (const words of verbs)
    for (const [said, status] of [
      ['not-found', 2],
      ['not-allowed', 2],
      ['in-use', 2],
      ['wrong-state', 2],
      ['no-such-point', 2],
      ['not-failed-over', 2],
      ['bad-name', 2],
      ['full', 1],
      ['lost', 1],
      ['file-failed', 1],
      ['damaged', 1],
      ['EIO', 1],
    ] as const) {
      code = said
      const ended = await runWith([...words, '--control', control])
      t.strictSame(ended, { status, stdout: '', stderr: 'rephub: not now␛\n' }, `${words.join(' ')}: ${said}`)
    }
})

t.test('what each verb asks, and says', async t => {
  const { control, asked } = await playedControl(t, usual)
  const first = 'test b, as of 1970-01-01T00:00:01.000000Z (#7)\n  root: nbd://h/web%2Fb%2Froot\n'
  const cases: [words: string[], asks: object, stdout: string][] = [
    [
      ['points', 'web', '--every', '1s'],
      { execute: 'points', arguments: { group: 'web', every: 1_000_000 } },
      'no moment can be started yet\n1970-01-01T00:00:01.000000Z  #7  p\n',
    ],
    [['test', 'web', '--at', 'p'], { execute: 'test', arguments: { group: 'web', at: { name: 'p' } } }, first],
    [
      ['failover', 'web', '--branch', 'b'],
      { execute: 'fail-over', arguments: { group: 'web', branch: 'b', at: { newest: true } } },
      first,
    ],
    [['arguments', 'web'], { execute: 'start', arguments: { group: 'web' } }, first],
    [['arguments', 'web', 'b', '--form', 'blockdev'], { arguments: { branch: 'b' } }, '-blockdev\n{"a":"\\u007f"}\n'],
    [['arguments', 'web', '--form', 'spec'], {}, 'vdev=hda\n'],
    [['commit', 'web', 'b'], { execute: 'commit', arguments: { group: 'web', branch: 'b' } }, ''],
    [['hold', 'web'], { execute: 'hold', arguments: { group: 'web' } }, ''],
    [['release', 'web'], { execute: 'release', arguments: { group: 'web' } }, ''],
    [['discard', 'web', 'b'], { execute: 'discard', arguments: { group: 'web', branch: 'b' } }, ''],
    [
      ['failback', 'web', '--agent', 'anna'],
      { execute: 'fail-back', arguments: { group: 'web', agent: 'anna', wait: true } },
      'web: failed back; epoch 3\n',
    ],
    [['failback', 'web', '--now'], { arguments: { group: 'web', wait: false } }, 'web: failed back; epoch 3\n'],
    [
      ['checkpoint', 'web', 'p'],
      { execute: 'agent', arguments: { group: 'web', execute: 'checkpoint', arguments: { name: 'p' } } },
      'checkpoint p of 1970-01-01 00:00:01Z\n',
    ],
  ]
  for (const verb of ['pause', 'resume', 'stop', 'start'])
    cases.push([[verb, 'web'], { execute: 'agent', arguments: { group: 'web', execute: verb, arguments: {} } }, ''])
  for (const [words, asks, stdout] of cases) {
    asked.length = 0
    t.strictSame(await runWith([...words, '--control', control]), { status: 0, stdout, stderr: '' }, words.join(' '))
    t.match(
      asked.find(({ execute }) => execute !== 'status'),
      asks,
    )
  }
})

t.test('the same for programs', async t => {
  const { control } = await playedControl(t, usual)
  const json = async (...words: string[]) =>
    JSON.parse((await runWith([...words, '--json', '--control', control])).stdout)
  t.strictSame(await json('status'), { exit: 0, ...hub })
  t.strictSame(await json('points', 'web'), {
    ...{ group: 'web', history: [] },
    points: [{ position: 7, time: 1_000_000, name: 'p' }],
  })
  const said = { group: 'web', branch: 'b', kind: 'test', position: 7, time: 1_000_000, volumes: [volume] }
  t.strictSame(await json('test', 'web'), { ...said, arguments: start.arguments })
  t.strictSame(await json('arguments', 'web', '--form', 'url'), { ...said, arguments: start.arguments })
  t.match(await json('failback', 'web'), { group: 'web', epoch: 3 })
  t.match(await json('checkpoint', 'web', 'p'), { name: 'p', time: 1_000_000 })
})

t.test('a branch that is made, but cannot be said how to start', async t => {
  const { control } = await playedControl(t, asked => {
    if (asked.execute === 'start') throw new Refusal('wrong-state', 'the hub serves no NBD')
    return usual(asked)
  })
  t.match(await runWith(['test', 'web', '--control', control]), {
    ...{ status: 1, stdout: '' },
    stderr: 'rephub: there is the test b, as of 1970-01-01T00:00:01.000000Z (#7), but: the hub serves no NBD\n',
  })
  const { disk: _, ...noSpec } = volume
  const tcp = await playedControl(t, asked =>
    asked.execute === 'start' ? { ...start, volumes: [noSpec] } : usual(asked),
  )
  t.match(await runWith(['test', 'web', '--form', 'spec', '--control', tcp.control]), {
    ...{ status: 1, stdout: '' },
    stderr: /there is the test b.*no disk spec can say where root is/,
  })
  t.match(await runWith(['test', 'web', '--json', '--control', tcp.control]), { status: 0, stdout: /"disk":null/ })
})

/** What a terminal would obey can be seen. */
const visible = (text: string) => text.replaceAll('\x1b', '␛')

/** A hub that is busy with a fail-back for as long as the test wants. */
async function busyHub(t: Parameters<typeof playedControl>[0]) {
  const state = {
    busy: { what: 'fail-back', done: 0, all: 4096 } as GroupStatus['busy'],
    state: 'protected',
    looks: 0,
  }
  const ending: { end?: (value: unknown) => void; fail?: (error: Error) => void } = {}
  const played = await playedControl(t, asked => {
    if (asked.execute === 'fail-back')
      return new Promise((resolve, reject) => {
        ending.end = () => resolve(usual(asked))
        ending.fail = reject
      })
    if (asked.execute !== 'status') return usual(asked)
    state.looks++
    if (state.busy !== undefined) state.busy = { ...state.busy, done: Math.min(4096, state.looks * 1024) }
    return [{ ...status, state: state.state, busy: state.busy }]
  })
  return { ...played, state, ending }
}

t.test('a fail-back shows how far it is, in a line that is redrawn', async t => {
  const { control, state, ending } = await busyHub(t)
  const io = new FakeIo(['failback', 'web', '--control', control], { terminal: true })
  const ended = run(io)
  await eventually('it looks', () => state.looks > 3)
  ending.end!(undefined)
  t.equal(await ended, 0)
  t.match(io.written[1], /fail-back \[## {8}\] 25% 1\.0 KiB of 4\.0 KiB\n/)
  t.match(visible(io.written[1]), /␛\[1A\r␛\[2Kfail-back \[#{5} {5}\] 50% .*, 1 s left\n/)
  t.match(visible(io.written[1]), /␛\[1A\r␛\[Jweb: failed back; epoch 3\n$/)
})

t.test('elsewhere in a line now and then', async t => {
  for (const [options, line] of [
    [[], /^fail-back \[## {8}\] 25% .*\nweb: failed back; epoch 3\n$/],
    [['--json'], /^\{"progress":\{"what":"fail-back","done":1024,"all":4096\}\}\n\{"group":"web","epoch":3,.*\}\n$/],
  ] as const) {
    const { control, state, ending } = await busyHub(t)
    const io = new FakeIo(['failback', 'web', '--control', control, ...options])
    const ended = run(io)
    await eventually('it looks', () => state.looks > 0)
    await eventually('it says so', () => io.written[1] !== '')
    ending.end!(undefined)
    t.equal(await ended, 0)
    t.match(io.written[1], line)
  }
})

t.test('a fail-back that waits for the recovery guest says so', async t => {
  const waits = { clients: 2, left: 12 * 1024 * 1024 }
  for (const [options, line] of [
    [[], /^12\.0 MiB left: shut the recovery guest down to end the fail-back\n/],
    [
      ['--json'],
      /^\{"progress":\{"what":"fail-back","done":4096,"all":4096,"waits":\{"clients":2,"left":12582912\}\}\}\n/,
    ],
  ] as const) {
    const { control, state, ending } = await busyHub(t)
    state.busy = { ...state.busy!, waits }
    state.looks = 9
    const io = new FakeIo(['failback', 'web', '--control', control, ...options])
    const ended = run(io)
    await eventually('it says so', () => io.written[1] !== '')
    ending.end!(undefined)
    t.equal(await ended, 0)
    t.match(io.written[1], line)
  }
})

t.test('a fail-back that was called off with its command is none of the hub any more', async t => {
  const { control, asked, state } = await busyHub(t)
  const io = new InterruptedIo(['failback', 'web', '--control', control])
  const ended = run(io)
  await eventually('it is asked', () => asked.length > 0)
  state.state = 'failed-over'
  state.busy = undefined
  io.interrupt('SIGINT')
  t.equal(await ended, 130)
  t.equal(io.written[2], 'rephub: interrupted: the fail-back is called off: the group is failed-over\n')
})

t.test('a fail-back that fails when some of it was done is no refusal', async t => {
  const { control, state, ending } = await busyHub(t)
  const io = new FakeIo(['failback', 'web', '--control', control], { terminal: true })
  const ended = run(io)
  await eventually('it looks', () => state.looks > 2)
  ending.fail!(new Refusal('wrong-state', 'the agent has gone'))
  t.equal(await ended, 1)
  t.equal(io.written[2], 'rephub: the agent has gone\n')
})

t.test('who is interrupted is told whether it goes on at the hub', async t => {
  for (const [isBusy, said] of [
    [true, /^rephub: interrupted: the fail-back goes on at the hub; see 'rephub status web'\n$/],
    [false, /^rephub: interrupted: the hub is not busy with the fail-back any more; see/],
  ] as const) {
    const { control, asked, state } = await busyHub(t)
    if (!isBusy) state.busy = undefined
    const io = new InterruptedIo(['failback', 'web', '--control', control])
    const ended = run(io)
    await eventually('it is asked', () => asked.length > 0)
    io.interrupt('SIGINT')
    t.equal(await ended, 130)
    t.match(io.written[2], said)
  }
  const { control, asked } = await playedControl(t, () => undefined)
  const io = new InterruptedIo(['commit', 'web', 'b', '--control', control])
  const ended = run(io)
  await eventually('it is asked', () => asked.length > 0)
  io.interrupt('SIGTERM')
  t.equal(await ended, 143)
  t.match(io.written[2], /interrupted: whether the commit goes on at the hub is not known/)
})

t.test('and so is who has no time left', async t => {
  const { control } = await busyHub(t)
  t.match(await runWith(['failback', 'web', '--timeout', '300ms', '--control', control]), {
    ...{ status: 1, stdout: '' },
    stderr: /: not done within 300 ms; the fail-back goes on at the hub; see 'rephub status web'\n$/,
  })
  const silent = await playedControl(t, () => undefined)
  for (const words of [['status'], ['points', 'web'], ['arguments', 'web']])
    t.match(await runWith([...words, '--timeout', '200ms', '--control', silent.control]), {
      ...{ status: 1, stdout: '' },
      stderr: /: not done within 200 ms\n$/,
    })
})

t.test('who watches waits for a hub that is not there, on a terminal or not', async t => {
  let isThere = false
  const { control } = await playedControl(t, asked => {
    if (!isThere) throw new Refusal('lost', 'gone\x1b')
    return usual(asked)
  })
  for (const [world, options, before, after] of [
    [{}, [], /^gone␛\n$/, /gone␛\nhub hub; .*\nno groups\n/],
    [{}, ['--json'], /^\{"exit":1,"error":"gone\\u001b"\}\n$/, /\n\{"exit":0,"name":"hub",/],
    [{ terminal: true }, [], /^␛\[H␛\[2Kgone␛\n␛\[J$/, /␛\[J␛\[H␛\[2Khub hub;/],
    [{ terminal: true, env: { TERM: 'dumb' } }, [], /^gone␛\n$/, /gone␛\nhub hub;/],
  ] as const) {
    isThere = false
    const io = new InterruptedIo(['status', '--watch', '--control', control, ...options], world)
    const ended = run(io)
    await eventually('it looks', () => io.written[1] !== '')
    t.match(visible(io.written[1]), before)
    isThere = true
    await eventually('it sees', () => after.test(visible(io.written[1])))
    io.interrupt('SIGINT')
    t.equal(await ended, 0, 'the status of what was seen last')
  }
})

t.test('a status of one group', async t => {
  const limits = { journalBytes: 1, history: 1, imageBytes: 1, overlayBytes: 1 }
  const used = { journalBytes: 1, imageBytes: 1, overlayBytes: 1 }
  const group = (name: string, state: string) => ({
    ...{ ...status, name, state, volumes: [], reported: [], branches: [], epoch: 1, lag: 0, used, limits },
  })
  const { control } = await playedControl(t, () => ({
    ...hub,
    groups: [group('a', 'protected'), group('b', 'failed')],
    closed: [{ name: 'c', code: 'damaged', message: 'a torn record' }],
  }))
  const of = (...words: string[]) => runWith(['status', ...words, '--control', control])
  t.match(await of(), { status: 15, stdout: /c: CANNOT BE OPENED \(a torn record\)\na: protected;[\s\S]*\nb: FAILED;/ })
  const one = await of('a')
  t.match(one, { status: 0, stdout: /\na: protected;/ })
  t.notMatch(one.stdout, /^[bc]:/m)
  t.match(await of('c'), { status: 15 })
  t.match(await of('d'), { status: 2, stdout: '', stderr: 'rephub: there is no group d\n' })
})

t.test('a configuration that cannot be used: all that is wrong, with its places', async t => {
  const file = join(socketFolder(t), 'hub.yaml')
  writeFileSync(file, 'data: /d\nlisten: here\njournal:\n  size: lots\nodd\x1b: 1\n')
  const { status, stdout, stderr } = await runWith(['serve', '--config', file])
  t.equal(status, 64)
  t.equal(stdout, '')
  t.match(stderr, /^rephub: the configuration cannot be used:\n/)
  t.match(stderr, `\n${file}:2:9: `)
  t.match(stderr, `\n${file}:4:9: `)
  writeFileSync(file, 'data: /d\nodd: 1\n')
  t.equal(
    (await runWith(['serve', '--config', file])).stderr.split('\n')[1],
    `${file}:2:1: the configuration has no 'odd'`,
  )
  t.match(await runWith(['serve', '--config', `${file}.none`]), {
    status: 1,
    stderr: /none: No such file or directory/,
  })
})

t.test('a reader that has gone, help, version, completion', async t => {
  t.match(await runWith(['--help'], { failing: 'EPIPE' }), { status: 141, stderr: '' })
  t.match(await runWith(['--help'], { failing: 'ENOSPC' }), { status: 1, stderr: /standard output/ })
  t.match(await runWith(['-h']), { status: 0, stdout: /^Usage: rephub VERB/, stderr: '' })
  t.match(await runWith(['--version']), { status: 0, stdout: /^rephub \d+\.\d+\.\d+/ })
  for (const shell of ['bash', 'zsh', 'fish'])
    t.match(await runWith(['--completion', shell]), { status: 0, stdout: new RegExp(`# ${shell} completion`) })
})
