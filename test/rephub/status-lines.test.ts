import t from 'tap'
import type { HubStatus } from 'xenlight/replication'
import { exitStatuses } from '#xenlight/rephub/exit-status.js'
import { Pace } from '#xenlight/rephub/pace.js'
import { briefText, StatusLines, statusOf } from '#xenlight/rephub/status-lines.js'

type Group = HubStatus['groups'][number]

const now = Date.UTC(2026, 10, 27, 12)
const ago = (seconds: number) => (now - seconds * 1000) * 1000
const gibibyte = 2 ** 30

const group = (more: Partial<Group> = {}): Group => ({
  ...{
    name: 'web',
    state: 'protected',
    since: ago(60),
    epoch: 1,
    term: 1,
    replica: 'r',
    agent: 'anna',
    isAttached: true,
  },
  ...{ heard: ago(1), volumes: [{ number: 0, name: 'root', size: gibibyte }], newest: { position: 9, time: ago(5) } },
  ...{ lag: 0, history: [{ from: { position: 2, time: ago(3600) }, to: { position: 9, time: ago(5) } }], branches: [] },
  used: { journalBytes: gibibyte, imageBytes: 2 * gibibyte, overlayBytes: 0 },
  limits: {
    ...{ journalBytes: 10 * gibibyte, history: 86_400_000_000, imageBytes: Number.MAX_SAFE_INTEGER },
    ...{ overlayBytes: 100 * gibibyte, branches: 4, checkpoints: 2000 },
  },
  reported: [],
  ...more,
})

const hub = (groups: Group[], more: Partial<HubStatus> = {}): HubStatus => ({
  ...{ name: 'hub', data: '/d', listens: { host: 'h', port: 1 }, nbd: { path: '/n' }, agents: ['anna'], groups },
  ...{ closed: [], problem: undefined, lease: undefined, ...more },
})

const linesOf = (status: HubStatus) => new StatusLines().of(status, now)

t.test('what a hub has, for people', async t => {
  t.strictSame(linesOf(hub([group()])), [
    'hub hub; agents at h:1; NBD at /n; connected: anna',
    'web: protected since 2026-11-27 11:59:00Z, sent by anna, heard 1 s ago; epoch 1',
    '  newest moment 2026-11-27T11:59:55.000000Z (#9)',
    '  history 2026-11-27T11:00:00.000000Z (#2) to 2026-11-27T11:59:55.000000Z (#9); journal 1.0 GiB of 10.0 GiB, at most 24 h, images 2.0 GiB, branches 0 B of 100 GiB',
    '  root, 1.0 GiB',
  ])
  t.strictSame(linesOf(hub([], { agents: [], listens: undefined, nbd: undefined })), [
    'hub hub; agents at no address; NBD at no address; no agent is connected',
    'no groups',
  ])
})

const shown: [what: string, more: Partial<Group>, line: RegExp][] = [
  ['a problem', { problem: 'the disk\x1b' }, /; PROBLEM: the disk␛$/],
  ['a fail-over that is held', { state: 'failed-over', isHeld: true }, /; held: no guest gets its disks$/],
  ['a copy', { state: 'syncing', unsettled: 'first' }, /^web: syncing .*; not a moment of its disks now \(first\)$/],
  ['a moment that gets older', { state: 'disconnected' }, /^ {2}newest moment .* \(#9\), 5 s ago$/],
  ['what is being written', { lag: 1024 }, /\(#9\); 1\.0 KiB being written$/],
  ['none yet', { state: 'empty', newest: undefined, history: [] }, /^ {2}no moment can be started yet$/],
  ['no history', { newest: undefined, history: [] }, /^ {2}no history; journal/],
  ['several ranges', { history: [...group().history, ...group().history] }, /\(#2\) to .* \(#9\) in 2 parts; journal/],
  ['full', { state: 'full' }, /^web: FULL since/],
  ['a take-over', { takeOver: { kind: 'fail-over', by: 'me', time: 1 } }, /; epoch 1 \(fail-over by me\)$/],
  [
    'what its agent says',
    { reported: [{ group: 'web', volume: 'root', size: 1, state: 'failed', why: 'EIO' }] },
    /^ {2}root, 1\.0 GiB: FAILED \(EIO\)$/,
  ],
  [
    'a branch',
    {
      branches: [
        {
          ...{ name: 'b', id: 1, kind: 'test', state: 'ready', position: 3, pointTime: ago(60), made: 1, by: 'me' },
          ...{ written: 2048, lost: undefined, exports: [] },
        },
      ],
    },
    /^ {2}test b of 2026-11-27T11:59:00\.000000Z \(#3\) by me, 2\.0 KiB written$/,
  ],
  [
    'what takes long',
    { busy: { what: 'fail-back', done: 1024, all: 4096 } },
    /^ {2}fail-back \[## {8}\] 25% 1\.0 KiB of/,
  ],
  ['what has begun', { busy: { what: 'fail-back', done: 0, all: 0 } }, /^ {2}fail-back has begun$/],
]

for (const [what, more, line] of shown)
  t.test(`a group: ${what}`, async t => {
    const lines = linesOf(hub([group(more)]))
    t.ok(
      lines.some(one => line.test(one)),
      lines.join('\n'),
    )
  })

t.test('what an agent said that has gone, and numbers that it said once, are not shown', async t => {
  const reported = [{ group: 'web', volume: 'root', size: 1, state: 'protected', lag: { bytes: 4096, seconds: 9 } }]
  t.equal(linesOf(hub([group({ reported })])).at(-1), '  root, 1.0 GiB: protected')
  for (const agents of [[], ['berta']])
    t.equal(linesOf(hub([group({ reported, state: 'disconnected' })], { agents })).at(-1), '  root, 1.0 GiB')
})

t.test('who watches is told how long it takes', async t => {
  const text = new StatusLines()
  const at = (done: number, later: number) =>
    text.of(hub([group({ busy: { what: 'fail-back', done, all: 4096 } })]), now + later).join('\n')
  t.notMatch(at(1024, 0), /left/)
  t.match(at(2048, 1000), /50% .*, 2 s left/)
  text.of(hub([group()]), now + 2000)
  t.notMatch(at(3072, 3000), /left/, 'another one has begun')
})

t.test('a pace begins anew with another part', async t => {
  const pace = new Pace()
  t.equal(pace.secondsLeft(0, 100, 0), undefined)
  t.equal(pace.secondsLeft(50, 100, 1000), 1)
  t.equal(pace.secondsLeft(60, 200, 2000), undefined)
  t.equal(pace.secondsLeft(160, 200, 3000), 1)
  t.equal(pace.secondsLeft(0, 200, 4000), undefined)
})

t.test('each bad state has an exit status of its own, and the worst counts', async t => {
  const of = (...states: Group['state'][]) => statusOf(hub(states.map(state => group({ state }))))
  const wanted: [Group['state'], number][] = [
    ['protected', 0],
    ['syncing', exitStatuses.syncing[0]],
    ['disconnected', exitStatuses.disconnected[0]],
    ['empty', exitStatuses.empty[0]],
    ['failing-over', exitStatuses.failedOver[0]],
    ['failed-over', exitStatuses.failedOver[0]],
    ['rolling-back', exitStatuses.failedOver[0]],
    ['committed', exitStatuses.failedOver[0]],
    ['returning', exitStatuses.failedOver[0]],
    ['full', exitStatuses.full[0]],
    ['failed', exitStatuses.groupFailed[0]],
  ]
  for (const [state, status] of wanted) {
    t.equal(of(state), status, state)
    t.equal(of('protected', state, 'protected'), status)
  }
  t.equal(of('failed-over', 'syncing'), exitStatuses.failedOver[0])
  t.equal(of(), 0)
  t.equal(statusOf(hub([group({ problem: 'x' })])), exitStatuses.groupFailed[0])
  t.equal(statusOf(hub([group({ state: 'full', problem: 'x' })])), exitStatuses.full[0])
  t.equal(statusOf(hub([], { closed: [{ name: 'a', code: 'damaged', message: 'x' }] })), exitStatuses.groupFailed[0])
  t.equal(statusOf(hub([group()], { problem: 'x' })), exitStatuses.takenOver[0])
  const numbers = Object.values(exitStatuses).map(([number]) => number)
  t.equal(new Set(numbers).size, numbers.length)
})

t.test('what only counts is not in the line that says changes', async t => {
  const before = briefText(hub([group()]))
  t.equal(before, 'hub hub: web: protected, sent by anna')
  const used = { journalBytes: 5, imageBytes: 6, overlayBytes: 7 }
  const counting = group({ newest: { position: 10, time: ago(0) }, lag: 9, heard: ago(0), used })
  t.equal(briefText(hub([counting])), before)
  t.equal(briefText(hub([group({ state: 'full' })])), 'hub hub: web: FULL, sent by anna')
  t.equal(briefText(hub([])), 'hub hub: no groups')
  t.equal(briefText(hub([], { problem: 'gone' })), 'PROBLEM: gone')
  t.match(briefText(hub([], { closed: [{ name: 'a', code: 'damaged', message: 'x' }] })), /a: CANNOT BE OPENED \(x\)/)
})
