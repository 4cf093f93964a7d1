import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as xenlight from 'xenlight'
import { XenlightError } from 'xenlight'
import * as checkpoint from 'xenlight/checkpoint'
import * as colo from 'xenlight/colo'
import * as dmArgs from 'xenlight/dm-args'
import * as lease from 'xenlight/lease'
import * as qmp from 'xenlight/qmp'
import * as xenstore from 'xenlight/xenstore'
import { ColoPair } from '#xenlight/colo/pair/pair.js'

/** What a program in JavaScript may pass by mistake. */
const garbage: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -1, 1.5, Number.NaN, 2 ** 53, 1n],
  ...['', 'x', 'vdev=xvda,target=/x', Symbol('x'), () => 1],
  ...[{}, [], [undefined], [null], [{}], [7], new Map(), Object.create(null), new Date(0)],
]

const disk = xenlight.parseDisk('vdev=hda,target=/x')
const guest = { domid: 4, domainType: 'hvm' } as const
const context = { ...guest, target: 'file', domidOf: () => undefined } as const
const resolved = xenlight.resolveDisk(disk, context)
const graph = dmArgs.buildBlockGraph([resolved], guest)
const config = xenlight.parseConfig('disk = [ "vdev=hda,target=/x" ]\n')
const diagnostic = xenlight.safeParseDisk('vdev=hda,target=/a,b').diagnostics[0]!

const store = xenstore.memoryStore()
t.teardown(() => store.close())
for (const domid of [4, 6]) {
  await store.write(`/libxl/${domid}/type`, 'hvm')
  await store.write(`/local/domain/${domid}/name`, 'guest')
}

/** A QEMU that refuses all that it is asked. */
function monitor() {
  let reader: { data(bytes: Uint8Array): void; end(): void } | undefined
  const says = (message: object) => queueMicrotask(() => reader?.data(Buffer.from(`${JSON.stringify(message)}\n`)))
  return {
    start(given: NonNullable<typeof reader>) {
      reader = given
      says({ QMP: { version: {}, capabilities: ['oob'] } })
    },
    write(message: Uint8Array) {
      const { id, execute } = JSON.parse(Buffer.from(message).toString())
      says(execute === 'qmp_capabilities' ? { id, return: {} } : { id, error: { class: 'GenericError', desc: 'no' } })
    },
    close: () => queueMicrotask(() => reader?.end()),
  }
}
const connection = await qmp.openQmp(monitor())
const failed = Promise.reject(new qmp.QmpError('refused', 'no'))
failed.catch(() => {})

const folder = mkdtempSync(join(tmpdir(), 'records-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const records = colo.recordFolder(folder)
const side = { qmp: connection, urgent: connection, records }
const nowhere = { host: '127.0.0.1', port: 1 }
const limits = { signal: undefined, timeout: 100 }
const overlay = { active: '/nonexistent/a', hidden: '/nonexistent/h' }
const record = { version: 1, disk: 'x', epoch: 1, state: 'alone', why: '', at: '' }
const pairOptions: colo.PairOptions = {
  ...{ primary: side, secondary: side, disks: ['x'], ...nowhere, epoch: 1, driver: 'nbd', equal: false, speed: 1 },
  ...{ tlsCreds: { primary: 'a', secondary: 'b' }, overlays: new Map([['x', overlay]]), heartbeat: { every: 9 } },
  ...{ guest: { stop: () => failed, resume: () => failed }, readExtents: () => failed, freeSpace: () => failed },
  ...{ onEvent: () => {}, ...limits },
}
/** It is over: else it would be kept for good. */
const pair = new ColoPair(pairOptions)
await pair[Symbol.asyncDispose]()

const etcd = lease.openEtcd({ endpoints: ['http://127.0.0.1:1'], timeout: 1 })
const grant = {
  ...{ name: 'web', holder: 'anna', epoch: 1, attempt: 'x', ttl: 2000, since: 0, token: '1/2' },
} satisfies lease.Grant

type Call = (...args: never[]) => unknown

/** Every public function with arguments that are right, in the place of which garbage is put, one at a time. */
const functions: readonly [name: string, call: Call, args: readonly unknown[]][] = [
  ['parseDisk', xenlight.parseDisk, ['vdev=hda,target=/x', { strict: false, source: 'x' }]],
  ['safeParseDisk', xenlight.safeParseDisk, ['vdev=hda,target=/x', { strict: false, source: 'x' }]],
  ['formatDisk', xenlight.formatDisk, [disk]],
  ['parseConfig', xenlight.parseConfig, ['', { filename: 'x', strict: false }]],
  ['safeParseConfig', xenlight.safeParseConfig, ['', { filename: 'x', strict: false }]],
  ['parseConfigDisks', xenlight.parseConfigDisks, [config, { strict: false }]],
  ['getString', key => config.getString(key), ['name']],
  ['getLong', key => config.getLong(key), ['name']],
  ['getList', key => config.getList(key), ['disk']],
  ['getPlace', key => config.getPlace(key), ['disk']],
  ['positionAt', offset => config.positionAt(offset), [0]],
  ['place.item', index => config.getPlace('disk')!.item(index), [0]],
  ['place.at', offset => config.getDiskSpecs()[0]!.place.at(offset), [0]],
  ['place.span', (start, end) => config.getDiskSpecs()[0]!.place.span(start, end), [0, 1]],
  ['formatDiagnostic', xenlight.formatDiagnostic, [diagnostic, { color: false, filename: 'x' }]],
  ['parseVdev', xenlight.parseVdev, ['hda']],
  ['formatVdev', xenlight.formatVdev, [768]],
  ['toLibxlJson', xenlight.toLibxlJson, [disk]],
  ['fromLibxlJson', xenlight.fromLibxlJson, ['{}', { libxlExact: false }]],
  ['resolveDisk', xenlight.resolveDisk, [disk, { ...context, create: true, targetReason: 'x' }]],
  [
    'resolveDiskOnHost',
    xenlight.resolveDiskOnHost,
    [
      { ...disk, backend: 'qdisk' },
      { ...context, create: true },
    ],
  ],
  ['diskToNodes', xenlight.diskToNodes, [resolved, guest]],
  [
    'diskFromNodes',
    xenlight.diskFromNodes,
    [xenlight.diskToNodes(resolved, guest), { domid: 4, vdev: 'hda', libxlExact: false }],
  ],
  ['nodeHost', xenlight.nodeHost, [0]],
  ['addDisk', xenlight.addDisk, [store, disk, { ...guest, wait: false, host: xenlight.nodeHost() }]],
  ['addDisks', xenlight.addDisks, [store, [disk], { ...guest, wait: false, timeouts: {} }]],
  [
    'ensureDisks',
    xenlight.ensureDisks,
    [
      store,
      [disk],
      { ...guest, wait: false, removeUnwanted: false, replaceDifferent: false, removal: { force: true } },
    ],
  ],
  ['listDisks', xenlight.listDisks, [store, 4, { libxlExact: false, signal: undefined }]],
  ['getDisk', xenlight.getDisk, [store, 4, 'hda', { libxlExact: false, signal: undefined }]],
  [
    'removeDisk',
    xenlight.removeDisk,
    [store, 5, 'hda', { force: true, paused: true, timeouts: {}, libxlExact: false }],
  ],
  ['diskEvents', xenlight.diskEvents, [store, 4, { signal: undefined }]],
  ['buildDiskArgs', dmArgs.buildDiskArgs, [[resolved], { ...guest, hdtype: 'ide', dialect: '4.17', stubdom: false }]],
  ['buildBlockdevArgs', dmArgs.buildBlockdevArgs, [[resolved], { ...guest, coloRestore: false }]],
  ['protectDisks', dmArgs.protectDisks, [[disk], { group: 'web', run: '/run', targetOf: () => undefined }]],
  ['diskWarnings', dmArgs.diskWarnings, [[resolved], { ...guest, libxlExact: false }]],
  ['blockdevWarnings', dmArgs.blockdevWarnings, [[resolved], { ...guest, physicalDevicePath: '/x' }]],
  ['buildBlockGraph', dmArgs.buildBlockGraph, [[resolved], { ...guest, targetOf: () => 'file' }]],
  ['buildQdiskBackendArgs', dmArgs.buildQdiskBackendArgs, [[resolved], { ...guest, backendDomid: 0 }]],
  ['toDot', dmArgs.toDot, [graph]],
  ['toMermaid', dmArgs.toMermaid, [graph]],
  [
    'setUpCheckpoints',
    checkpoint.setUpCheckpoints,
    [['x'], [{ match: async () => ({ mismatch: 'no' }) }], { nameOf: () => 'x', timeout: 9, teardownTimeout: 9 }],
  ],
  ['formatPermissions', xenstore.formatPermissions, [[{ domid: 0, access: 'none' }]]],
  ['parsePermissions', xenstore.parsePermissions, ['n0']],
  ['memoryStore', options => xenstore.memoryStore(options).close(), [{ domid: 0, quotas: {}, domains: [4] }]],
  ['embeddedStore', options => xenstore.embeddedStore(options).close(), [{ quotas: {}, domains: [4] }]],
  ['embedded.connect', options => store.connect(options).close(), [{ domid: 0, timeout: 100, maxInFlight: 5 }]],
  [
    'openXenstore',
    (duplex, options) => xenstore.openXenstore(duplex === store ? xenstore.embeddedStore().duplex() : duplex, options),
    [store, { timeout: 100, maxInFlight: 5 }],
  ],
  [
    'openQmp',
    (duplex, options) => qmp.openQmp(duplex === store ? monitor() : duplex, options),
    [store, { timeout: 100, signal: undefined }],
  ],
  ['connectQmp', qmp.connectQmp, [{ path: '/nonexistent/socket' }, { timeout: 100, signal: undefined }]],
  ['connectQmp by TCP', qmp.connectQmp, [{ host: '127.0.0.1', port: 1 }]],
  ['humanMonitor', qmp.humanMonitor, [connection, 'info', { timeout: 100 }]],
  ['querySchema', qmp.querySchema, [connection, { timeout: 100 }]],
  [
    'runJob',
    qmp.runJob,
    [connection, { id: 'x', start: () => failed, until: 'ready', onProgress: () => 1, every: 9, timeout: 1 }],
  ],
  [
    'qmp.run',
    (...given) => (connection.run as Call)(...given),
    [qmp.blockdevDel, { 'node-name': 'x' }, { timeout: 9 }],
  ],
  ['qmp.execute', (...given) => (connection.execute as Call)(...given), ['stop', {}, { timeout: 9 }]],
  ['qmp.executeOutOfBand', (...given) => (connection.executeOutOfBand as Call)(...given), ['yank', {}, { timeout: 9 }]],
  ['qmp.events', options => connection.events(options).return?.(), [{ names: ['STOP'], capacity: 5 }]],
  ['protectPair', colo.protectPair, [pairOptions]],
  ['protectPair: tlsCreds', tlsCreds => colo.protectPair({ ...pairOptions, tlsCreds }), [pairOptions.tlsCreds]],
  ['protectPair: guest', guest => colo.protectPair({ ...pairOptions, guest }), [pairOptions.guest]],
  ['protectPair: primary', primary => colo.protectPair({ ...pairOptions, primary }), [side]],
  ['protectPair: secondary', secondary => colo.protectPair({ ...pairOptions, secondary }), [side]],
  [
    'protectPair: heartbeat',
    heartbeat => colo.protectPair({ ...pairOptions, heartbeat }),
    [{ every: 9, timeout: 9, stall: 9 }],
  ],
  [
    'protectPair: overlays',
    (name, files) => colo.protectPair({ ...pairOptions, overlays: new Map([[name, files]]) }),
    ['x', overlay],
  ],
  ['pair.checkpoint', limits => pair.checkpoint(limits), [limits]],
  ['pair.status', limits => pair.status(limits), [limits]],
  ['pair.keep', options => pair.keep(options), [{ every: 9, signal: undefined }]],
  [
    'failOver',
    colo.failOver,
    [{ secondary: side, disks: ['x'], epoch: 1, force: 'x', onProgress: () => {}, ...limits }],
  ],
  ['endProtection', colo.endProtection, [{ primary: side, secondary: side, disks: ['x'], why: 'x', ...limits }]],
  [
    'pairStatus',
    colo.pairStatus,
    [{ primary: side, secondary: side, disks: ['x'], freeSpace: () => failed, known: () => ({}), ...limits }],
  ],
  ['findDisks', colo.findDisks, [connection, limits]],
  ['connectSide', colo.connectSide, [{ qmp: { path: '/nonexistent/socket' }, urgent: nowhere, records }, limits]],
  ['connectSide: qmp', qmp => colo.connectSide({ qmp, records }), [nowhere]],
  ['connectSide: urgent', urgent => colo.connectSide({ qmp: nowhere, urgent, records }), [nowhere]],
  ['recordFolder', colo.recordFolder, [folder]],
  ['recordsBeside', colo.recordsBeside, [['/nonexistent/x']]],
  ['prepareOverlays', colo.prepareOverlays, [[{ ...overlay, size: 512 }]]],
  ['prepareOverlays: one', one => colo.prepareOverlays([one]), [{ ...overlay, size: 512 }]],
  [
    'prepareOverlays: size',
    size => colo.prepareOverlays([{ ...overlay, size }]),
    [{ image: '/nonexistent/i', format: 'raw' }],
  ],
  ['coloDisksOf', colo.coloDisksOf, [store, 4, limits]],
  ['coloPrimaryKind', colo.coloPrimaryKind, [{ qmp: connection, epoch: 1, tlsCreds: 'a', driver: 'nbd' }]],
  ['coloSecondaryKind', colo.coloSecondaryKind, [{ qmp: connection, epoch: 1, tlsCreds: 'a' }]],
  ['dirtyExtents', colo.dirtyExtents, [{ ...nowhere, name: 'x', bitmap: 'x' }, limits]],
  ['parseRecord', colo.parseRecord, [JSON.stringify(record)]],
  ['localFreeSpace', colo.localFreeSpace, [folder]],
  [
    'openEtcd',
    lease.openEtcd,
    [{ endpoints: ['http://127.0.0.1:1'], tls: undefined, prefix: '/x/', tryTimeout: 1, timeout: 1 }],
  ],
  [
    'holdLease',
    lease.holdLease,
    [etcd.leases, 'web', { holder: 'x', ttl: 2000, margin: 800, above: 1, attempt: 'x', signal: undefined }],
  ],
  ['leaseMargin', lease.leaseMargin, [2000]],
  [
    'leases.acquire',
    etcd.leases.acquire.bind(etcd.leases),
    ['web', { holder: 'x', ttl: 2000, above: 1, attempt: 'x' }],
  ],
  ['leases.renew', etcd.leases.renew.bind(etcd.leases), [grant, { signal: undefined }]],
  ['leases.release', etcd.leases.release.bind(etcd.leases), [grant, { signal: undefined }]],
  ['leases.look', etcd.leases.look.bind(etcd.leases), ['web', { signal: undefined }]],
  ['leases.watch', (name, options) => etcd.leases.watch(name, options).return?.(), ['web', { signal: undefined }]],
  ['catalogue.put', etcd.catalogue.put.bind(etcd.catalogue), [grant, 'x', 1, { signal: undefined }]],
  ['catalogue.remove', etcd.catalogue.remove.bind(etcd.catalogue), [grant, 'x', { signal: undefined }]],
  ['catalogue.get', etcd.catalogue.get.bind(etcd.catalogue), ['web', 'x', { signal: undefined }]],
  ['catalogue.list', etcd.catalogue.list.bind(etcd.catalogue), ['web', { signal: undefined }]],
  [
    'catalogue.watch',
    (name, options) => etcd.catalogue.watch(name, options).return?.(),
    ['web', { signal: undefined }],
  ],
  ['connect', xenstore.connect, [{ path: '/nonexistent/socket', timeout: 100 }]],
]

const request = { signal: undefined, timeout: 50 }
const path = '/libxl/6/type'
const others: readonly [name: keyof xenstore.Xenstore, args: readonly unknown[]][] = [
  ['read', [path, request]],
  ['readBytes', [path, request]],
  ['readIfPresent', [path, request]],
  ['write', ['/tool/x', 'x', request]],
  ['mkdir', ['/tool/x', request]],
  ['rm', ['/tool/y', request]],
  ['directory', ['/libxl/6', request]],
  ['getPermissions', [path, request]],
  ['setPermissions', ['/tool', [{ domid: 0, access: 'none' }], request]],
  ['transaction', [() => 1, { ...request, attempts: 1, inTurn: false }]],
  ['waitUntilExists', [path, request]],
  ['waitForValue', [path, ['hvm'], request]],
  ['waitUntil', [path, () => true, request]],
  ['getDomainPath', [4, request]],
  ['isIntroduced', [4, request]],
  ['resume', [4, request]],
  ['release', [4, request]],
  ['setTarget', [4, 6, request]],
  ['introduce', [{ domid: 9, gfn: 1, eventChannel: 1 }, request]],
  ['control', ['quota', ['x'], request]],
  ['getFeature', [0, request]],
  ['setFeature', [4, 0, request]],
  ['listQuotas', [request]],
  ['getQuota', ['nodes', 0, request]],
  ['setQuota', ['nodes', 1000, 4, request]],
  ['resetWatches', [request]],
]
const methods = others.map(([name, args]): (typeof functions)[number] => [
  `store.${String(name)}`,
  (...given) => (store[name] as Call)(...given),
  args,
])
const watch: (typeof functions)[number] = [
  'store.watch',
  (...given) => (store.watch as Call as (...given: readonly unknown[]) => xenstore.Watch)(...given).return(),
  [path, { signal: undefined, depth: 1, capacity: 5, overflow: 'merge' }],
]

/** Of the engine's own, when it meets what it cannot use. */
const ofTheEngine = /Cannot (read|destructure|convert|set|mix)|is not (a function|iterable|a constructor)|undefined \(/

function isOurs(error: unknown): boolean {
  if (error instanceof XenlightError) return true
  if (!(error instanceof TypeError || error instanceof RangeError)) return false
  return 'code' in error && / must be .+, not /.test(error.message) && !ofTheEngine.test(error.message)
}

async function outcome(call: Call, args: readonly unknown[]): Promise<'done' | 'refused' | Error> {
  try {
    const result = await (call as (...args: readonly unknown[]) => unknown)(...args)
    if (result instanceof Object && 'close' in result) await (result as xenstore.Xenstore).close()
    return 'done'
  } catch (error) {
    return isOurs(error) ? 'refused' : (error as Error)
  }
}

async function check(t: Test, name: string, call: Call, args: readonly unknown[]): Promise<'done' | 'refused'> {
  const result = await outcome(call, args)
  if (!(result instanceof Error)) return result
  t.fail(`${name}: ${result.stack}`)
  return 'refused'
}

for (const [name, call, args] of [...functions, ...methods, watch]) {
  t.test(`${name} names what is wrong`, async t => {
    let refused = 0
    const put = async (wrong: readonly unknown[]) => {
      if ((await check(t, name, call, wrong)) === 'refused') refused++
    }
    for (const [index, right] of args.entries()) {
      for (const value of garbage) {
        await put(args.with(index, value))
        if (typeof right !== 'object' || right === null || right === store) continue
        if (Array.isArray(right)) await put(args.with(index, [value]))
        else for (const key of Object.keys(right)) await put(args.with(index, { ...right, [key]: value }))
      }
    }
    await put([])
    t.ok(refused > 0, `${refused} calls were refused`)
  })
}

t.test('every public function is here', async t => {
  const tested = new Set(functions.map(([, call]) => call))
  const isClass = (value: unknown) => /^class\b/.test(String(value))
  for (const [name, value] of Object.entries({
    ...xenlight,
    ...checkpoint,
    ...colo,
    ...dmArgs,
    ...lease,
    ...qmp,
    ...xenstore,
  })) {
    if (typeof value !== 'function' || isClass(value)) continue
    // it takes no argument
    if (name === 'takes') continue
    if (functions.some(([tested]) => tested === name)) continue
    t.ok(tested.has(value as Call), name)
  }
})

t.test('a field of the wrong type never counts as another value', async t => {
  const wrong: Record<string, unknown> = {
    ...{ trusted: 'no', discardEnable: 'false', coloEnable: 0, coloRestoreEnable: 'yes', grantUsage: 1 },
    ...{ backendDomid: Number.NaN, irq: -1, base: 2 ** 53, coloPort: 1.5, readwrite: 'ro', removable: 1 },
    ...{ isCdrom: 'false', directIoSafe: null, backend: 'file', format: 'RAW', specification: 'XEN', transport: '' },
    ...{ vdev: 7, pdevPath: null, script: false, backendDomname: 0, coloHost: {}, coloExport: [] },
    ...{ activeDisk: Symbol('x'), hiddenDisk: 1n },
  }
  t.strictSame(Object.keys(wrong).sort(), Object.keys(resolved).sort())
  for (const [field, value] of Object.entries(wrong)) {
    const bad = { ...resolved, [field]: value } as never
    const error = { message: new RegExp(`^disks?(\\[0\\])?\\.${field} must be .*, not `), code: /^ERR_/ }
    t.throws(() => xenlight.resolveDisk(bad, context), error)
    t.throws(() => xenlight.diskToNodes(bad, guest), error)
    t.throws(() => xenlight.toLibxlJson(bad), error)
    t.throws(() => xenlight.formatDisk(bad), error)
    t.throws(() => dmArgs.buildDiskArgs([bad], guest), error)
    t.throws(() => dmArgs.buildBlockdevArgs([bad], guest), error)
    t.throws(() => dmArgs.buildQdiskBackendArgs([bad], guest), error)
    await t.rejects(xenlight.resolveDiskOnHost(bad, context), error)
    await t.rejects(xenlight.addDisk(store, bad, { ...guest, domid: 6 }), error)
    await t.rejects(xenlight.addDisks(store, [bad], { ...guest, domid: 6 }), error)
  }
  t.strictSame(await store.directory('/libxl/6'), ['type'])
})

t.test('the codes are those of Node.js', async t => {
  t.throws(() => xenlight.parseVdev(7 as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  t.throws(() => xenlight.diskToNodes(resolved, { ...guest, domainType: 'HVM' as 'hvm' }), {
    ...{ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' },
    message: "domainType must be 'pv', 'pvh' or 'hvm', not \"HVM\"",
  })
  t.throws(() => xenlight.formatVdev(-1), {
    ...{ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' },
    message: 'devid must be an integer from 0 to 2147483647, not -1',
  })
})
