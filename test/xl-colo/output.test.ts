import t from 'tap'
import type { PairEvent } from 'xenlight/colo'
import { bytesText } from '#xenlight/command-line/bytes-text.js'
import { jsonLine } from '#xenlight/command-line/json-line.js'
import { progressText } from '#xenlight/command-line/progress-text.js'
import { fitting, fullScreen } from '#xenlight/command-line/redrawn.js'
import { unheard } from '#xenlight/service/service.js'
import { drawGraph } from '#xenlight/xl-colo/graph/draw-graph.js'
import { heardReporter } from '#xenlight/xl-colo/output/heard-reporter.js'
import { reporterFor } from '#xenlight/xl-colo/output/reporter-for.js'
import { FakeIo, type World } from './fake-io.js'

const why = 'because\x1b[0m'
const fill = { overlay: 'active', file: '/a\u202eb', used: 10, size: 4096, free: undefined } as const
const events: [event: PairEvent, text: string, json: object][] = [
  [
    { type: 'plan', disk: 'a\nb', plan: { kind: 'full', why } },
    'a␊b: all is to be copied (because␛[0m)',
    { event: 'plan', disk: 'a\nb', copy: 'full', why },
  ],
  [
    { type: 'progress', disk: 'd', current: 512, total: 2048, secondsLeft: 3 },
    'd: [##        ] 25% 512 B of 2.0 KiB, 3 s left',
    { event: 'progress', disk: 'd', current: 512, total: 2048, secondsLeft: 3 },
  ],
  [
    { type: 'state', disk: 'd', state: { kind: 'degraded', why } },
    'd: degraded (because␛[0m)',
    { event: 'state', disk: 'd', state: 'degraded', why },
  ],
  [
    { type: 'state', disk: 'd', state: { kind: 'protected', why: 'epoch 1', checkpoint: undefined } },
    'd: protected (epoch 1)',
    { event: 'state', disk: 'd', state: 'protected', why: 'epoch 1' },
  ],
  [
    { type: 'checkpoint', checkpoint: { number: 4, at: new Date(0) }, pause: 1.25 },
    'checkpoint 4: the guest stood still for 1.3 ms',
    { event: 'checkpoint', number: 4, pause: 1.25 },
  ],
  [
    { type: 'filling', disk: 'd', fill },
    'warning: d: its file system is nearly full: active overlay /a\ufffdb: 10 B used, at most 4.0 KiB',
    { event: 'filling', disk: 'd', ...fill, free: null },
  ],
  [
    { type: 'retry', why, after: 500 },
    'warning: not protected: because␛[0m; tried again in 500 ms',
    { event: 'retry', why, after: 500 },
  ],
]

const written = (json: boolean, world: World, event: PairEvent): string => {
  const io = new FakeIo([], world)
  reporterFor(json, io).event(event)
  return io.written[1]
}

for (const [event, text, json] of events)
  t.test(`${event.type}: ${text}`, async t => {
    t.equal(written(false, {}, event), `${text}\n`)
    t.equal(written(false, { terminal: true, env: { TERM: 'dumb' } }, event), `${text}\n`, 'on a dumb terminal')
    const line = written(true, { terminal: true }, event)
    const { time, level, ...rest } = JSON.parse(line)
    t.equal(new Date(time).toISOString(), time)
    t.match(level, /^(info|warning|error)$/)
    t.strictSame(rest, json)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
    t.notMatch(line.trimEnd(), /[\x00-\x1f\u202e]/)
  })

t.test('on a terminal a few lines are drawn again and again', async t => {
  const io = new FakeIo([], { terminal: true, columns: 30 })
  const reporter = reporterFor(false, io)
  reporter.say('epoch 1', {})
  for (const [event] of events) reporter.event(event)
  reporter.warn('nobody watches\n')
  const screen = shown(io.written[1])
  t.strictSame(screen.slice(0, 2), ['epoch 1', 'a␊b: all is to be copied (because␛[0m)'])
  t.strictSame(screen.slice(-3), [
    'xl-colo: warning: nobody watches␊',
    'checkpoint 4: the guest stoo…',
    'd: protected (epoch 1)',
  ])
  t.equal(screen.filter(line => line.startsWith('d: ')).length, 1)
})

/** What a terminal shows of lines, "up" and "clear". */
function shown(text: string): string[] {
  const lines: string[] = ['']
  let row = 0
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
  for (const [part] of text.matchAll(/\x1b\[(\d*)([AKJ])|\r|\n|[^\x1b\r\n]+/g)) {
    if (part === '\n') lines[++row] ??= ''
    else if (part.endsWith('A')) row -= Number(part.slice(2, -1))
    else if (part.endsWith('J')) lines.splice(row, Infinity, '')
    else if (part.endsWith('K')) lines[row] = ''
    else if (part !== '\r') lines[row] += part
  }
  return lines.slice(0, -1)
}

t.test('more than a terminal has room for', async t => {
  const size = { columns: 80, rows: 5 }
  const lines = ['a', 'b', 'c', 'd', 'e']
  t.strictSame(fitting(lines, size), ['a', 'b', 'c', '… and 2 more'])
  t.strictSame(fitting(lines.slice(2), size), ['c', 'd', 'e'])
  t.equal(fullScreen(lines, size).split('\n').length, 5)
  t.match(fitting(lines, { columns: 80, rows: 0 }), ['a', '… and 4 more'])
})

t.test('how far a copy is', async t => {
  t.equal(progressText({ current: 0, total: 0, secondsLeft: undefined }), '[##########] 100% 0 B of 0 B')
  t.match(progressText({ current: 3, total: 2, secondsLeft: 0 }), /100% .*, 0 s left$/)
  t.equal(bytesText(1023), '1023 B')
  t.equal(bytesText(5 * 2 ** 40), '5.0 TiB')
  t.equal(bytesText(2 ** 53), '8192 TiB')
})

t.test('JSON says nothing that a terminal obeys', async t => {
  const line = jsonLine({ why: '\x7f\x9b\u202e\u2028\x1b' })
  t.match(line, /^[\x20-\x7e]+\n$/)
  t.strictSame(JSON.parse(line), { why: '\x7f\x9b\u202e\u2028\x1b' })
})

t.test('a graph is drawn as a tree, and what several have once', async t => {
  const node = (id: number, label: string) => ({ id, label })
  const edge = (from: number, to: number, role: string) => ({ from, to, role })
  const nodes = [node(3, 'file\n'), node(1, 'device'), node(2, 'quorum'), node(4, 'export')]
  const edges = [edge(1, 2, 'root'), edge(2, 3, 'children.0'), edge(2, 9, 'gone'), edge(4, 3, 'root'), edge(2, 3, 'x')]
  t.strictSame(drawGraph({ nodes, edges }), [
    'device',
    '└─ root: quorum',
    '   ├─ children.0: file␊',
    '   └─ x: file␊ (see above)',
    'export',
    '└─ root: file␊ (see above)',
  ])
  const circle = { nodes: [node(1, 'a'), node(2, 'b')], edges: [edge(1, 2, 'x'), edge(2, 1, 'y')] }
  t.strictSame(drawGraph(circle), ['a', '└─ x: b', '   └─ y: a (see above)'])
  t.strictSame(drawGraph({ nodes: [], edges: [] }), [])
})

t.test('the journal has priorities, and not what comes many times a second', async t => {
  const io = new FakeIo([], { journal: true })
  const reporter = reporterFor(false, io)
  reporter.say('epoch 1', {})
  for (const [event] of [...events, ...events]) reporter.event(event)
  reporter.warn('nobody watches\n')
  const lines = io.written[1].trimEnd().split('\n')
  t.ok(
    lines.every(line => /^<[346]>/.test(line)),
    io.written[1],
  )
  t.equal(lines[0], '<6>epoch 1')
  t.equal(lines.at(-1), '<4>warning: nobody watches␊')
  t.notMatch(io.written[1], /checkpoint 1|\[#|\d+%/)
  t.match(io.written[1], /<4>warning: not protected: because/)
})

t.test("a service's status is what becomes of its disks", async t => {
  const io = new FakeIo([])
  const said: string[] = []
  const reporter = heardReporter(reporterFor(true, io), { ...unheard, status: text => said.push(text) })
  reporter.say('epoch 1', { event: 'epoch', epoch: 1 })
  const state = (disk: string, kind: 'protected' | 'degraded') =>
    reporter.event({ type: 'state', disk, state: { kind, why: 'so' } } as PairEvent)
  state('a', 'protected')
  state('b', 'protected')
  state('b', 'protected')
  state('b', 'degraded')
  reporter.warn('nobody watches')
  t.strictSame(said, ['a: protected', 'a: protected; b: protected', 'a: protected; b: degraded'])
  const lines = io.written[1].trimEnd().split('\n')
  t.equal(lines.length, 6, 'all of it is said as before')
  t.match(
    lines.map(line => JSON.parse(line).level),
    ['info', 'info', 'info', 'info', 'warning', 'warning'],
  )
})
