import fc from 'fast-check'
import t from 'tap'
import { addDisk, parseDisk, type RemoveDiskOptions, removeDisk } from 'xenlight'
import { openXenstore, type Xenstore } from 'xenlight/xenstore'
import { destroyDevice } from '#xenlight/libxl/store/destroy-device.js'
import { pathCleanup } from '#xenlight/libxl/store/path-cleanup.js'
import { treeAt } from '../../support/disk-store.js'
import { hindered } from '../../support/hindered.js'
import { goodMoves, playBackend, scriptedHost, stage, written } from '../../support/played-disk.js'

const patient = { backend: 60_000, hotplug: 60_000, paused: 10 }
const hasty = { ...patient, backend: 50 }
const spec = '/dev/vg/a,raw,xvda,w'
const all = (store: Xenstore) => treeAt(store, ['/local/domain', '/libxl'])

t.test('a disk that the guest lets go leaves nothing behind', async t => {
  const cases: [spec: string, options: RemoveDiskOptions, closed: boolean, script: boolean][] = [
    [spec, {}, true, true],
    [spec, { force: true }, true, true],
    [spec, { force: 'auto' }, true, true],
    ['/img,qcow2,xvda,w', {}, true, false],
    ['/img,qcow2,xvda,w', { paused: true }, false, false],
    ['/img,qcow2,xvda,w', { force: true, paused: true }, false, false],
    ['/dev/vg/a,raw,hda,w,script=block-own', {}, true, true],
  ]
  for (const [spec, options, closed, withScript] of cases) {
    for (const libxlExact of [false, true]) {
      const { store, as } = await stage(t)
      const before = await all(store)
      const device = await written(store, spec)
      playBackend(t, as(0), device)
      const vdev = spec.includes('hda') ? 'hda' : 'xvda'
      const host = scriptedHost(async () => ({ status: 5, stderr: 'no loop' }))
      const removed = await removeDisk(store, 11, vdev, { ...options, host, libxlExact, timeouts: patient })
      const path = spec.includes('script') ? '/etc/xen/scripts/block-own' : '/etc/xen/scripts/block'
      t.strictSame(removed, {
        vdev,
        devid: device.devid,
        forced: options.force === true,
        closed,
        ...(withScript ? { script: { path, status: 5, stderr: 'no loop' } } : {}),
      })
      t.strictSame(await all(store), before, `${spec} ${JSON.stringify(options)}`)
      const XENBUS_PATH = `backend/vbd/11/${device.devid}`
      t.match(host.calls, withScript ? [{ script: path, args: ['remove'], env: { XENBUS_PATH } }] : [])
      t.equal(store.statistics.watches, 0)
    }
  }
})

t.test('what the backend is told', async t => {
  const { store, as } = await stage(t)
  const { paths } = await written(store, spec)
  const told: string[] = []
  const backend = as(0)
  const watch = backend.watch(paths.backend)
  await watch.ready
  const removing = removeDisk(store, 11, 'xvda', { host: scriptedHost(), timeouts: patient })
  for await (const { path } of watch) {
    if (path === paths.backend) continue
    told.push(`${path.slice(paths.backend.length + 1)}=${await backend.read(path)}`)
    if (told.length === 2) break
  }
  t.strictSame(told.sort(), ['online=0', 'state=5'])
  await backend.write(`${paths.backend}/state`, '6')
  await removing
})

t.test('a guest that does not let go keeps its disk', async t => {
  for (const libxlExact of [false, true]) {
    const { store, as } = await stage(t)
    const device = await written(store, spec)
    const before = await all(store)
    const host = scriptedHost()
    const removing = removeDisk(store, 11, 'xvda', { host, libxlExact, timeouts: hasty })
    await t.rejects(removing, {
      name: 'LibxlError',
      rc: -9,
      code: 'ERROR_TIMEDOUT',
      message:
        /^unable to remove device with path \/local\/domain\/0\/backend\/vbd\/11\/51712 - rc -9: the guest still uses xvda.*backend state 5 \(Closing\), frontend state 1.*online 0, state 5.*force/,
    })
    t.strictSame(host.calls, [])
    const { backend } = device.paths
    t.strictSame(
      await all(store),
      {
        ...before,
        [`${backend}/online`]: { ...before[`${backend}/online`], value: '0' },
        [`${backend}/state`]: { ...before[`${backend}/state`], value: '5' },
      },
      'what is left is what the message says',
    )
    // the guest lets go after all
    await as(0).write(`${backend}/state`, '6')
    t.match(await removeDisk(store, 11, 'xvda', { host, libxlExact, timeouts: patient }), { closed: true })
  }
})

t.test('unless it is forced', async t => {
  for (const force of [true, 'auto'] as const) {
    const { store } = await stage(t)
    const before = await all(store)
    await written(store, spec)
    const host = scriptedHost()
    const removed = await removeDisk(store, 11, 'xvda', { host, force, timeouts: hasty })
    t.match(removed, { forced: true, closed: false, script: { status: 0 } })
    t.strictSame(await all(store), before)

    await written(store, spec)
    const exact = scriptedHost()
    const removing = removeDisk(store, 11, 'xvda', { host: exact, force, timeouts: hasty, libxlExact: true })
    await t.rejects(removing, { rc: -9, message: /removed all the same/ }, 'libxl calls that a failure')
    t.strictSame(await all(store), before, 'and has removed it')
    t.strictSame(exact.calls, [], 'without its script')
  }
})

t.test('a backend that is gone', async t => {
  const { store, as } = await stage(t)
  const before = await all(store)
  const device = await written(store, spec)
  await pathCleanup(as(0), device.paths.backend)
  const host = scriptedHost()
  t.match(await removeDisk(store, 11, 'xvda', { host, timeouts: patient }), { closed: true, forced: false })
  t.strictSame(await all(store), before)
  t.strictSame(host.calls, [])
})

t.test('a backend that goes while it is waited for', async t => {
  for (const libxlExact of [false, true]) {
    const { store, as } = await stage(t)
    const before = await all(store)
    const device = await written(store, `${spec},backend=storage`)
    const player = as(7)
    const watch = player.watch(`${device.paths.backend}/state`)
    await watch.ready
    const removing = removeDisk(store, 11, 'xvda', { host: scriptedHost(), libxlExact, timeouts: patient })
    const done = removing.then(
      () => undefined,
      error => error,
    )
    for await (const _ of watch) if ((await player.read(`${device.paths.backend}/state`)) === '5') break
    await player.rm(device.paths.backend)
    if (libxlExact) t.match(await done, { rc: -6, message: /vanished/ })
    else {
      t.equal(await done, undefined, 'it has closed what it no longer has')
      t.strictSame(await all(store), { ...before, ...(await treeAt(store, ['/local/domain/7'])) })
    }
  }
})

t.test('a driver domain cleans up by itself', async t => {
  const { store, as } = await stage(t)
  const device = await written(store, `${spec},backend=storage`)
  const { backend } = device.paths
  playBackend(t, as(7), device)
  const host = scriptedHost()
  const removing = removeDisk(store, 11, 'xvda', { host, timeouts: { ...patient, backend: 1500 } })
  await t.rejects(removing, { rc: -9, message: /timed out while waiting for it to be removed: domain 7.*xl devd/ })
  t.not(await store.readIfPresent(device.paths.libxl), undefined, 'it stays')

  const again = removeDisk(store, 11, 'xvda', { host, timeouts: patient })
  const player = as(7)
  await player.waitForValue(`${backend}/state`, '6')
  await player.rm(backend)
  t.match(await again, { closed: true, forced: false })
  t.equal(await store.readIfPresent(device.paths.libxl), undefined)
  t.strictSame(host.calls, [], 'no script is run here')
})

t.test('what cannot be removed', async t => {
  const { store } = await stage(t)
  const remove = (vdev: string, options = {}) => removeDisk(store, 11, vdev, { host: scriptedHost(), ...options })
  const missing = 'disk /libxl/11/device/vbd/51712 does not exist (no backend path'
  await t.rejects(remove('xvda'), { rc: -3, message: missing })
  await t.rejects(remove('nonsense'), { rc: -6, message: 'Invalid or unsupported virtual disk identifier nonsense' })
  await t.rejects(removeDisk(store, -1, 'xvda'), { name: 'RangeError' })
  await store.write('/libxl/11/device/virtio_disk/51712/backend', '/local/domain/0/backend/virtio_disk/11/51712')
  await t.rejects(remove('xvda'), { rc: -3, message: "Hotunplug isn't supported for specification virtio" })
  await written(store, spec).catch(() => {})
  await store.write('/libxl/11/device/vbd', '')
  await t.rejects(remove('xvda'), { rc: -6, message: 'Invalid configuration, both xen and virtio paths are present' })
  await store.rm('/libxl/11/device')
  for (const backend of ['/local/domain/0/backend/vif/11/0', '/tmp', '/local/domain/0/backend/__proto__/1/1', '']) {
    await store.write('/libxl/11/device/vbd/51712/backend', backend)
    await t.rejects(remove('xvda'), { rc: -3, message: `Unable to fetch device backend domid from ${backend}` })
  }
})

t.test('half a device, as libxl leaves it behind, can be removed', async t => {
  const { store } = await stage(t)
  const before = await all(store)
  const backend = '/local/domain/0/backend/vbd/11/51712'
  await store.write('/libxl/11/device/vbd/51712/backend', backend)
  await store.write(`${backend}/state`, '6')
  t.match(await removeDisk(store, 11, 'xvda', { host: scriptedHost(), timeouts: patient }), {
    vdev: 'xvda',
    script: { status: undefined, reason: `unable to read script from ${backend}` },
  })
  t.strictSame(await all(store), before)
})

t.test('removing is given up', async t => {
  const { store } = await stage(t)
  await written(store, spec)
  const aborting = new AbortController()
  const removing = removeDisk(store, 11, 'xvda', { host: scriptedHost(), timeouts: patient, signal: aborting.signal })
  setImmediate(() => aborting.abort())
  await t.rejects(removing, { rc: -22, code: 'ERROR_ABORTED' })
  t.equal(store.statistics.watches, 0)
  await t.resolves(removeDisk(store, 11, 'xvda', { host: scriptedHost(), force: true, timeouts: hasty }))
})

t.test('many at once, and one twice', async t => {
  const { store, as } = await stage(t)
  const before = await all(store)
  const names = Array.from(
    { length: 40 },
    (_, index) => `xvd${String.fromCharCode(97 + (index % 26))}${index >= 26 ? 1 : ''}`,
  )
  for (const name of names) playBackend(t, as(0), await written(store, `/dev/vg/a,raw,${name},w`), goodMoves)
  const removed = await Promise.all(
    [...names, 'xvda'].map(name =>
      removeDisk(store, 11, name, { host: scriptedHost(), timeouts: patient }).catch(error => error.rc),
    ),
  )
  t.ok(removed.slice(1, -1).every(one => one.closed))
  t.strictSame(await all(store), before)
})

t.test('destroying is idempotent, and a driver domain destroys its own part', async t => {
  const { store } = await stage(t)
  const before = await all(store)
  const device = await written(store, `${spec},backend=storage`)
  await destroyDevice(store, device, { domid: 9 })
  t.not(await store.readIfPresent(device.paths.backend), undefined, 'not a domain that has no part in it')
  await destroyDevice(store, device, { domid: 7 })
  t.equal(await store.readIfPresent(device.paths.backend), undefined)
  t.not(await store.readIfPresent(device.paths.libxl), undefined)
  for (let times = 0; times < 2; times++) {
    await destroyDevice(store, device)
    t.strictSame(await all(store), before)
  }
})

t.test('a cleaned up path takes its bare parents with it, and no others', async t => {
  const name = fc.constantFrom('a', 'b')
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map(names => `/t/${names.join('/')}`)
  const nodes = fc.array(fc.tuple(path, fc.constantFrom('', 'x')), { minLength: 1, maxLength: 8 })
  const { store } = await stage(t)
  await store.write('/t', 'root')
  await fc.assert(
    fc.asyncProperty(nodes, fc.nat(), async (nodes, pick) => {
      await store.rm('/t/a')
      await store.rm('/t/b')
      for (const [path, value] of nodes) await store.write(path, value)
      const target = nodes[pick % nodes.length]![0]
      const before = await treeAt(store, ['/t'])
      await store.transaction(tx => pathCleanup(tx, target))
      const after = await treeAt(store, ['/t'])
      // the same by its definition: take away the target, then what is bare right above it
      const left = new Map(Object.entries(before).filter(([path]) => path !== target && !path.startsWith(`${target}/`)))
      for (let up = target.slice(0, target.lastIndexOf('/')); up !== ''; up = up.slice(0, up.lastIndexOf('/'))) {
        if (left.get(up)?.value !== '' || [...left.keys()].some(path => path.startsWith(`${up}/`))) break
        left.delete(up)
      }
      return JSON.stringify(Object.keys(after).sort()) === JSON.stringify([...left.keys()].sort())
    }),
    { numRuns: 60 },
  )
  t.pass('60 cases')
})

t.test('a guest that always writes in between cannot keep its disk', async t => {
  for (const force of [false, true]) {
    const { embedded, store, as } = await stage(t)
    const before = await all(store)
    const device = await written(store, spec)
    playBackend(t, as(0), device)
    const guest = as(11)
    const disturbing = () => void guest.write(`${device.paths.frontend}/state`, '4').catch(() => {})
    const host = scriptedHost()
    await removeDisk(hindered(embedded, disturbing), 11, 'xvda', { force, host, timeouts: patient })
    t.strictSame(await all(store), before)
  }
})

t.test('given up while nothing is answered', async t => {
  const mute = openXenstore({ start: () => {}, write: () => {}, close: () => {} })
  const aborting = new AbortController()
  const removing = removeDisk(mute, 11, 'xvda', { host: scriptedHost(), signal: aborting.signal })
  setTimeout(() => aborting.abort(), 5)
  await t.rejects(removing, { code: 'ERROR_ABORTED' })
})

t.test('times that are none, and times for ever', async t => {
  const { store, as } = await stage(t)
  const device = await written(store, spec)
  const host = scriptedHost()
  for (const timeout of [-1, Number.NaN]) {
    const timeouts = { backend: timeout }
    await t.rejects(removeDisk(store, 11, 'xvda', { host, timeouts }), { name: 'RangeError', message: /backend/ })
    await t.rejects(addDisk(store, parseDisk('/dev/vg/b,raw,xvdb,w'), { domid: 11, host, timeouts }), {
      name: 'RangeError',
    })
  }
  playBackend(t, as(0), device)
  const timeouts = { backend: Number.POSITIVE_INFINITY, hotplug: Number.POSITIVE_INFINITY }
  t.match(await removeDisk(store, 11, 'xvda', { host, timeouts }), { closed: true })
  t.match(host.calls, [{ timeout: 2 ** 31 - 1 }])
  await written(store, spec)
  await removeDisk(store, 11, 'xvda', { force: true, host, timeouts: { backend: 1, hotplug: undefined } })
  t.match(host.calls[1], { timeout: 40_000 }, 'undefined is the default')
})
