import t from 'tap'
import {
  coloPrimaryKind,
  coloSecondaryKind,
  connectSide,
  dirtyExtents,
  failOver,
  findDisks,
  localFreeSpace,
  type PairOptions,
  pairStatus,
  parseRecord,
  prepareOverlays,
  protectPair,
  recordFolder,
  recordsBeside,
  type Side,
  type SideAddress,
} from 'xenlight/colo'
import type { Qmp } from 'xenlight/qmp'
import { ColoPair } from '#xenlight/colo/pair/pair.js'

/** A QEMU, and records, of which nothing may be asked. */
const asked: string[] = []
const ask = (what: string) => () => {
  asked.push(what)
  return Promise.reject(new Error(what))
}
const events = () => {
  asked.push('events')
  return { [Symbol.dispose]() {}, async *[Symbol.asyncIterator]() {} }
}
const qmp = { run: ask('run'), runOutOfBand: ask('run'), events } as unknown as Qmp
const side: Side = { qmp, records: { read: ask('read'), write: ask('write') } }
const right: PairOptions = { primary: side, secondary: side, disks: ['a', 'b'], host: '::1', port: 9000, epoch: 1 }

const type = 'ERR_INVALID_ARG_TYPE'
const value = 'ERR_INVALID_ARG_VALUE'
const range = 'ERR_OUT_OF_RANGE'
type Wrong = readonly [given: object, what: string, code: string]

const sides: Wrong[] = [
  [{ secondary: undefined }, 'secondary', type],
  [{ secondary: { records: side.records } }, 'secondary.qmp', type],
  [{ secondary: { ...side, qmp: { run() {} } } }, 'secondary.qmp.events', type],
  [{ secondary: { ...side, qmp: { events() {} } } }, 'secondary.qmp.run', type],
  [{ secondary: { ...side, urgent: {} } }, 'secondary.urgent.run', type],
  [{ secondary: { qmp } }, 'secondary.records', type],
  [{ secondary: { qmp, records: { read() {} } } }, 'secondary.records.write', type],
  [{ secondary: { qmp, records: { write() {} } } }, 'secondary.records.read', type],
]
const disks: Wrong[] = [
  [{ disks: 'a' }, 'disks', type],
  [{ disks: [] }, 'disks.length', range],
  [{ disks: ['a', 7] }, 'disks[1]', type],
  [{ disks: ['a', ''] }, 'disks[1]', value],
  [{ disks: ['a', 'b', 'a'] }, 'disks[2]', value],
  [{ disks: ['a\0'] }, 'disks[0]', value],
  [{ disks: ['\ud800'] }, 'disks[0]', value],
  [{ disks: ['é'.repeat(2041)] }, 'disks[0]', value],
]
const epochs: Wrong[] = [undefined, '1', 0, -1, 1.5, Number.NaN, 2 ** 31].map(epoch => [
  { epoch },
  'epoch',
  typeof epoch === 'number' ? range : type,
])
const limits: Wrong[] = [
  [{ signal: {} }, 'signal', type],
  [{ timeout: '9' }, 'timeout', type],
  [{ timeout: -1 }, 'timeout', range],
  [{ timeout: Number.NaN }, 'timeout', range],
]
const drivers: Wrong[] = [
  [{ driver: 'quorum' }, 'driver', value],
  [{ driver: 1 }, 'driver', type],
]
const addresses: Wrong[] = [
  [{ host: undefined }, 'host', type],
  [{ host: '' }, 'host', value],
  ...[0, 65_536, 1.5].map((port): Wrong => [{ port }, 'port', range]),
  [{ port: '9000' }, 'port', type],
]
const overlays = (files: object, disk: unknown = 'a') => ({ overlays: new Map([[disk, files]]) })
const periods = (field: string): Wrong[] => [
  [{ heartbeat: { [field]: '9' } }, `heartbeat.${field}`, type],
  [{ heartbeat: { [field]: undefined } }, `heartbeat.${field}`, type],
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY].map(
    (time): Wrong => [{ heartbeat: { [field]: time } }, `heartbeat.${field}`, range],
  ),
]
const pairs: Wrong[] = [
  ...sides.map(
    ([given, what, code]): Wrong => [
      { primary: (given as PairOptions).secondary },
      what.replace('secondary', 'primary'),
      code,
    ],
  ),
  ...[...sides, ...disks, ...epochs, ...limits, ...drivers, ...addresses],
  ...['every', 'timeout', 'stall'].flatMap(periods),
  ...[0, -1, 1.5, Number.POSITIVE_INFINITY].map((speed): Wrong => [{ speed }, 'speed', range]),
  [{ speed: '1' }, 'speed', type],
  [{ equal: 'no' }, 'equal', type],
  [{ heartbeat: 9 }, 'heartbeat', type],
  [{ tlsCreds: 'tls0' }, 'tlsCreds', type],
  [{ tlsCreds: { primary: 'tls0' } }, 'tlsCreds.secondary', type],
  [{ tlsCreds: { primary: '0', secondary: 'tls0' } }, 'tlsCreds.primary', value],
  [{ tlsCreds: { primary: 'a', secondary: 'a,b' } }, 'tlsCreds.secondary', value],
  [{ overlays: { a: { active: 'a', hidden: 'h' } } }, 'overlays', type],
  [overlays({ active: 'a' }), 'overlays of a disk.hidden', type],
  [overlays({ active: '', hidden: 'h' }), 'overlays of a disk.active', value],
  [overlays({ active: 'a', hidden: 'h' }, 7), 'a disk of overlays', type],
  [{ guest: { stop() {} } }, 'guest.resume', type],
  [{ guest: { resume() {} } }, 'guest.stop', type],
  ...['readExtents', 'freeSpace', 'onEvent'].map((name): Wrong => [{ [name]: 'x' }, name, type]),
]

const calls: [name: string, call: (given: never) => unknown, right: object, wrong: readonly Wrong[]][] = [
  ['protectPair', protectPair, right, pairs],
  [
    'failOver',
    failOver,
    right,
    [
      ...[...sides, ...disks, ...epochs, ...limits],
      [{ force: true }, 'force', type],
      [{ force: '' }, 'force', value],
      [{ onProgress: {} }, 'onProgress', type],
    ],
  ],
  [
    'pairStatus',
    pairStatus,
    right,
    [
      // a side that is not given cannot be seen
      ...[...sides.slice(1), ...disks, ...limits],
      [{ known: {} }, 'known', type],
      [{ freeSpace: {} }, 'freeSpace', type],
    ],
  ],
  ['findDisks', given => findDisks(qmp, given), {}, limits],
  ['findDisks: qmp', ({ qmp }: { qmp: Qmp }) => findDisks(qmp), { qmp }, [[{ qmp: {} }, 'qmp.run', type]]],
  ...[coloPrimaryKind, coloSecondaryKind].map((kind): (typeof calls)[number] => [
    kind.name,
    kind,
    { qmp, epoch: 1 },
    [...epochs, ...drivers, [{ qmp: {} }, 'qmp.run', type], [{ tlsCreds: 'a b' }, 'tlsCreds', value]],
  ]),
  [
    'connectSide',
    ({ given, ...limits }: { given: SideAddress; timeout?: number }) => connectSide(given, limits),
    { given: { qmp: { path: '/nonexistent/socket' }, records: side.records } },
    [
      ...limits,
      [{ given: undefined }, 'where', type],
      [{ given: { qmp: {}, records: side.records } }, 'qmp.port', type],
      [{ given: { qmp: { path: '/x' }, urgent: { path: 7 }, records: side.records } }, 'urgent.path', type],
      [{ given: { qmp: { path: '/x' } } }, 'records', type],
    ],
  ],
  [
    'dirtyExtents',
    ({ signal, timeout, ...where }: Parameters<typeof dirtyExtents>[0] & Parameters<typeof dirtyExtents>[1]) =>
      dirtyExtents(where, { signal, timeout }),
    { host: '127.0.0.1', port: 1, name: 'a', bitmap: 'b' },
    [...addresses, ...limits, [{ name: '' }, 'name', value], [{ bitmap: 7 }, 'bitmap', type]],
  ],
  [
    'prepareOverlays',
    given => prepareOverlays([given]),
    { active: '/nonexistent/a', hidden: '/nonexistent/h', size: 512 },
    [
      ...[0, 511, 1000].map((size): Wrong => [{ size }, 'overlays[0].size / 512', range]),
      [{ size: '512' }, 'overlays[0].size', type],
      [{ size: { image: '', format: 'raw' } }, 'overlays[0].size.image', value],
      [{ size: { image: '/x', format: 'vpc' } }, 'overlays[0].size.format', value],
      [{ active: 7 }, 'overlays[0].active', type],
      [{ hidden: '/x\0' }, 'overlays[0].hidden', value],
    ],
  ],
  ['recordFolder', ({ given }) => recordFolder(given), { given: '/x' }, [[{ given: '' }, 'directory', value]]],
  ['recordsBeside', ({ given }) => recordsBeside(given), { given: [] }, [[{ given: ['/x', 7] }, 'images[1]', type]]],
  ['parseRecord', ({ given }) => parseRecord(given), { given: '' }, [[{ given: null }, 'text', type]]],
  ['localFreeSpace', ({ given }) => localFreeSpace(given), { given: '/' }, [[{ given: null }, 'file', type]]],
]

for (const [name, call, right, wrong] of calls) {
  t.test(`${name} is not begun with a wrong argument`, async t => {
    const run = async (given: object) => call({ ...right, ...given } as never)
    for (const [given, what, code] of wrong) {
      const error = await run(given).then(
        () => undefined,
        error => error,
      )
      t.match(error, { name: code === range ? 'RangeError' : 'TypeError', code }, `${what}: ${error?.message}`)
      t.equal(error?.message.split(' must be ')[0], what)
    }
    t.strictSame(asked, [], 'nothing was done')
    const outcome = await run({}).catch(error => error)
    t.notMatch(outcome, { code: /^ERR_/ }, 'what is right is taken')
    asked.length = 0
  })
}

t.test('the methods of a pair', async t => {
  const pair = new ColoPair({ ...right, primary: { ...side, qmp } })
  await pair[Symbol.asyncDispose]()
  asked.length = 0
  for (const [given, what, code] of limits) {
    const error = { code, message: new RegExp(`^${what} must be `) }
    await t.rejects(pair.checkpoint(given), error)
    await t.rejects(pair.status(given), error)
  }
  for (const every of [undefined, '9', 0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    await t.rejects(pair.keep({ every: every as number }), { code: typeof every === 'number' ? range : type })
  await t.rejects(pair.keep(undefined as never), { code: type })
  await t.rejects(pair.keep({ every: 9, signal: {} as AbortSignal }), { code: type })
  t.strictSame(asked, [])
  await pair.keep({ every: 9 })
})

t.test('the largest that is right', async t => {
  const name = 'x'.repeat(4081)
  const most = { ...right, disks: [name, 'é'.repeat(2040)], epoch: 2_147_483_647, port: 65_535 }
  await t.rejects(protectPair({ ...most, heartbeat: { every: 2 ** 31 - 1 } }), { message: 'run' })
  await t.rejects(protectPair({ ...most, tlsCreds: { primary: 'a', secondary: 'b-1' } }), { message: 'run' })
})
