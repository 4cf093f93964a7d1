import { existsSync, readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { LibxlError, nodeHost } from 'xenlight'
import { type ConnectOptions, connectBackend } from '#xenlight/libxl/store/connect-backend.js'
import { treeAt } from '../../support/disk-store.js'
import {
  goodMoves,
  type Moves,
  playBackend,
  type Stage,
  scriptedHost,
  stage,
  written,
} from '../../support/played-disk.js'

/** Long enough for what is to happen, and short where a time limit is to be reached. */
const patient = { backend: 60_000, hotplug: 60_000, settle: 60_000 }
const hasty = { backend: 50, hotplug: 50, settle: 50 }

const vbd = '/local/domain/0/backend/vbd/11/51712'
const errorNode = '/local/domain/0/error/backend/vbd/11/51712/error'
const spec = '/dev/vg/a,raw,xvda,w'

/** A script that does what `block` does: sets some nodes of the backend. */
const setting = ({ store }: Stage, nodes: Record<string, string>, ending = {}) =>
  scriptedHost(async ({ args }) => {
    if (args[0] !== 'add') return {}
    for (const [key, value] of Object.entries(nodes)) await store.write(`${vbd}/${key}`, value)
    return ending
  })
const block = { 'physical-device': '7:0', 'hotplug-status': 'connected' }

interface Case {
  name: string
  spec?: string
  moves?: Moves
  /** What the script sets, and how it ends. */
  sets?: Record<string, string>
  ending?: { status?: number | undefined; reason?: string; stderr?: string }
  /** Whether libxl fails too. */
  exact: boolean
  rc: number
  message: RegExp
  undone?: boolean
}

const failures: Case[] = [
  {
    name: 'no backend',
    moves: {},
    exact: true,
    rc: -9,
    message: /^unable to add device with path \S+vbd\/11\/51712 - rc -9: still state 1 \(Initialising\).*xen-blkback/,
  },
  {
    name: 'a backend that gives up before the script, and says why',
    moves: { 1: { [errorNode]: '22 \u001b[2J gone', state: '6' } },
    exact: true,
    rc: -3,
    message:
      /gave the device up, state 6 \(Closed\); the backend: "22 ␛\[2J gone" \(\/local\/domain\/0\/error\/backend/,
  },
  {
    name: 'a backend that gives up after the script',
    moves: { ...goodMoves, 'physical-device': { [errorNode]: '30 creating vbd structure', state: '6' } },
    exact: false,
    rc: -3,
    message: /gave the device up, state 6 \(Closed\); the backend: "30 creating vbd structure"/,
    undone: true,
  },
  {
    name: 'nothing behind the device',
    moves: { ...goodMoves, 'physical-device': { sectors: '0', state: '4' } },
    exact: false,
    rc: -3,
    message: /zero sectors/,
    undone: true,
  },
  {
    name: 'a script that fails, and says why',
    sets: { 'hotplug-error': 'Device is mounted', 'hotplug-status': 'busy' },
    ending: { status: 1, stderr: 'one\ntwo\nthree\nfour\n' },
    exact: true,
    rc: -3,
    message:
      /^\/etc\/xen\/scripts\/block add exited with error status 1; script: "Device is mounted"; its output ends with "two␊three␊four" \(device \S+51712\)$/,
  },
  {
    name: 'a script that takes too long',
    ending: { status: undefined, reason: 'timed out' },
    exact: true,
    rc: -9,
    message: /^killing execution of \/etc\/xen\/scripts\/block add because of timeout/,
    undone: true,
  },
  {
    name: 'a script that cannot be run',
    ending: { status: undefined, reason: 'No such file or directory' },
    exact: true,
    rc: -3,
    message: /block add failed: No such file or directory/,
    undone: true,
  },
  {
    name: 'a script that ends well without having set anything up',
    sets: { 'hotplug-status': 'connected' },
    exact: false,
    rc: -3,
    message: /no physical-device: is "\/dev\/vg\/a" a block device or a file/,
    undone: true,
  },
  {
    name: 'a script that ends well and says that it failed',
    sets: { 'hotplug-status': 'error', 'hotplug-error': 'out of loops', 'physical-device': '7:0' },
    exact: false,
    rc: -3,
    message: /hotplug-status "error"; script: "out of loops"/,
    undone: true,
  },
]

for (const { name, moves = goodMoves, sets = block, ending, exact, rc, message, undone = false } of failures) {
  t.test(name, async t => {
    for (const libxlExact of [false, true]) {
      const set = await stage(t)
      const device = await written(set.store, spec)
      playBackend(t, set.as(0), device, moves)
      const host = setting(set, sets, ending)
      // libxl takes no state but 2 for an answer
      const waitsInVain = moves[1] === undefined || (libxlExact && !Object.values(moves[1]).includes('2'))
      const backend = waitsInVain ? 50 : 60_000
      const connecting = connectBackend(set.store, device, {
        host,
        libxlExact,
        timeouts: { ...patient, backend },
      })
      if (libxlExact && !exact) {
        await t.resolves(connecting, 'libxl finds nothing wrong')
        continue
      }
      const error = await connecting.then(
        () => undefined,
        error => error,
      )
      t.ok(error instanceof LibxlError, String(error))
      if (libxlExact && waitsInVain) t.equal(error.rc, -9)
      else t.match(error, { rc, message })
      t.strictSame(
        host.calls.filter(call => call.args[0] === 'remove').length,
        undone && !libxlExact ? 1 : 0,
        'what a script may have set up is undone',
      )
      t.equal(set.store.statistics.watches, 0)
    }
  })
}

t.test('a backend that comes up', async t => {
  for (const libxlExact of [false, true]) {
    const set = await stage(t)
    const device = await written(set.store, spec)
    // of an earlier device with this number
    await set.store.write(errorNode, '22 long ago')
    playBackend(t, set.as(0), device)
    const host = setting(set, block)
    await connectBackend(set.store, device, { host, libxlExact, timeouts: patient })
    const left = await set.store.readIfPresent(errorNode)
    t.equal(left, libxlExact ? '22 long ago' : undefined, 'it is removed, unless as libxl does')
    t.match(host.calls, [
      {
        script: '/etc/xen/scripts/block',
        args: ['add'],
        env: {
          script: '/etc/xen/scripts/block',
          XENBUS_TYPE: 'vbd',
          XENBUS_PATH: 'backend/vbd/11/51712',
          XENBUS_BASE_PATH: 'backend',
        },
      },
    ])
    t.equal(set.store.statistics.watches, 0)
  }
})

t.test('a guest that is not there yet is no failure', async t => {
  const set = await stage(t)
  const device = await written(set.store, spec)
  playBackend(t, set.as(0), device, { 1: { state: '2' } })
  await t.resolves(
    connectBackend(set.store, device, { host: setting(set, block), timeouts: { ...patient, settle: 50 } }),
  )
})

t.test('a device of this machine without sectors needs no guest to be found out', async t => {
  for (const [entry, expected] of [
    ['7:1f', 0],
    ['7:1f', 2048],
    ['7:1f', undefined],
  ] as const) {
    const set = await stage(t)
    const device = await written(set.store, spec)
    playBackend(t, set.as(0), device, { 1: { state: '2' } })
    const asked: string[] = []
    const host = {
      ...setting(set, { 'physical-device': entry }),
      sectorsOf: async (device: string) => {
        asked.push(device)
        return expected
      },
    }
    const connecting = connectBackend(set.store, device, { host, timeouts: { ...patient, settle: 50 } })
    if (expected === 0) await t.rejects(connecting, { rc: -3, message: /zero sectors/ })
    else await t.resolves(connecting)
    t.strictSame(asked, [entry])
  }
})

t.test('how many sectors a device of this machine has', async t => {
  const { sectorsOf } = nodeHost()
  for (const odd of ['', 'ffff:ffff', '../../x:0', '7', 'g:0']) t.equal(await sectorsOf?.(odd), undefined, odd)
  const [device] = existsSync('/sys/dev/block') ? readdirSync('/sys/dev/block') : []
  await t.test('a real one', { skip: device === undefined && 'this machine has no block device' }, async t => {
    const number = device
      ?.split(':', 2)
      .map(part => Number(part).toString(16))
      .join(':')
    t.equal(await sectorsOf?.(number ?? ''), Number(readFileSync(`/sys/dev/block/${device}/size`, 'latin1')))
  })
})

t.test('an empty drive has no sectors', async t => {
  const set = await stage(t)
  const device = await written(set.store, ',raw,xvda,cdrom,backendtype=phy')
  playBackend(t, set.as(0), device, { ...goodMoves, 'physical-device': { sectors: '0', state: '4' } })
  await t.resolves(connectBackend(set.store, device, { host: setting(set, block), timeouts: patient }))
})

t.test('a backend whose directory goes away', async t => {
  const set = await stage(t)
  const device = await written(set.store, spec)
  const connecting = connectBackend(set.store, device, { host: scriptedHost(), timeouts: patient })
  await set.as(0).rm(vbd)
  await t.rejects(connecting, { rc: -6, message: /its directory was removed/ })
})

t.test("a driver domain's word decides nothing but whether the disk is there", async t => {
  const backend = '/local/domain/7/backend/vbd/11/51712'
  const driven = `${spec},backend=storage`
  const cases: [name: string, moves: Moves, error?: { rc: number; message: RegExp }][] = [
    ['it says that its script did well', { 1: { state: '2', 'hotplug-status': 'connected', sectors: '8' } }],
    ['it connects without a word', { 1: { state: '2' }, 2: { state: '4' } }],
    [
      'its script fails',
      { 1: { state: '2', 'hotplug-status': 'error', 'hotplug-error': 'no such volume' } },
      { rc: -3, message: /"no such volume"/ },
    ],
    [
      'it says nothing',
      { 1: { state: '2' } },
      { rc: -9, message: /no hotplug-status after 50 ms: does domain 7 run .*xl devd/ },
    ],
    ['it is not there', {}, { rc: -9, message: /still state 1.*domain 7/ }],
  ]
  for (const [name, moves, error] of cases) {
    const set = await stage(t)
    const device = await written(set.store, driven)
    t.equal(device.paths.backend, backend)
    const player = set.as(7)
    playBackend(t, player, device, { ...moves, 1: { ...moves[1], script: '/tmp/evil' } })
    const host = scriptedHost()
    const timeouts =
      error?.rc === -9
        ? Object.keys(moves).length === 0
          ? hasty
          : { ...patient, hotplug: 50 }
        : { ...patient, settle: 50 }
    const connecting = connectBackend(set.store, device, { host, timeouts })
    if (error === undefined) await t.resolves(connecting, name)
    else await t.rejects(connecting, error, name)
    t.strictSame(host.calls, [], 'no script is run here')
  }
})

t.test('in this domain, too, the script is the one of the toolstack', async t => {
  const set = await stage(t)
  const device = await written(set.store, spec)
  playBackend(t, set.as(0), device, { ...goodMoves, 1: { script: '/tmp/evil', state: '2' } })
  const host = setting(set, block)
  await connectBackend(set.store, device, { host, timeouts: patient })
  t.strictSame(
    host.calls.map(call => call.script),
    ['/etc/xen/scripts/block'],
  )

  await set.store.write(`${device.paths.libxl}/script`, 'block')
  const again = connectBackend(set.store, device, { host, timeouts: patient })
  await t.rejects(again, { rc: -3, message: /"block" is no absolute path/ })
  await set.store.rm(`${device.paths.libxl}/script`)
  const third = connectBackend(set.store, device, { host, timeouts: patient })
  await t.rejects(third, { rc: -3, message: `unable to read script from ${vbd}` })
  t.equal(host.calls.length, 1)
})

t.test('QEMU', async t => {
  const image = '/img,qcow2,xvda,w'
  const connect = async (t: Test, moves: Moves, options: Partial<ConnectOptions> = {}) => {
    const set = await stage(t)
    const device = await written(set.store, image)
    playBackend(t, set.as(0), device, moves)
    const host = scriptedHost()
    await connectBackend(set.store, device, { host, timeouts: patient, ...options })
    t.strictSame(host.calls, [])
  }
  await t.resolves(connect(t, { 1: { sectors: '8', state: '2' } }))
  await t.resolves(connect(t, {}, { libxlExact: true }), 'libxl does not wait for it')
  const refused = connect(t, {}, { timeouts: hasty })
  await t.rejects(refused, { rc: -9, message: /still state 1.*qemu-dm/ }, 'it only logs what is wrong with an image')
  await t.rejects(connect(t, { 1: { sectors: '0', state: '2' } }), { rc: -3, message: /zero sectors/ })
})

t.test('what is given up', async t => {
  const set = await stage(t)
  const device = await written(set.store, spec)
  const before = await treeAt(set.store, ['/local/domain', '/libxl'])
  const aborting = new AbortController()
  const connecting = connectBackend(set.store, device, {
    host: scriptedHost(),
    timeouts: patient,
    signal: aborting.signal,
  })
  setImmediate(() => aborting.abort(new Error('enough')))
  await t.rejects(connecting, { rc: -22, code: 'ERROR_ABORTED', cause: { message: 'enough' } })
  t.equal(set.store.statistics.watches, 0)
  t.strictSame(await treeAt(set.store, ['/local/domain', '/libxl']), before, 'the nodes are the caller’s')
})

t.test('given up while the script runs', async t => {
  const set = await stage(t)
  const device = await written(set.store, spec)
  playBackend(t, set.as(0), device)
  const aborting = new AbortController()
  const host = scriptedHost(async ({ args, signal }) => {
    if (args[0] === 'remove') return {}
    aborting.abort()
    return signal?.aborted ? { status: undefined, reason: 'aborted' } : {}
  })
  const connecting = connectBackend(set.store, device, { host, timeouts: patient, signal: aborting.signal })
  await t.rejects(connecting, { rc: -22, code: 'ERROR_ABORTED' })
  t.strictSame(
    host.calls.map(call => call.args[0]),
    ['add', 'remove'],
    'what it may have done is undone',
  )
})
