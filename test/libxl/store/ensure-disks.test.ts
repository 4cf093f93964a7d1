import { spawn } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { addDisk, addDisks, ensureDisks, parseDisk, removeDisk } from 'xenlight'
import type { Xenstore } from 'xenlight/xenstore'
import { hostWhere, treeAt } from '../../support/disk-store.js'
import { onEachSocket } from '../../support/each-socket.js'
import { playBackend, scriptedHost, stage } from '../../support/played-disk.js'
import { projectRoot } from '../../support/project-root.js'

const domid = 11
const names = ['xvda', 'xvdb', 'xvdc']
const wanted = names.map(name => parseDisk(`/dev/vg/${name},raw,${name},w`))
const backendOf = (index: number) => `/local/domain/0/backend/vbd/11/${51712 + 16 * index}`
const timeouts = { backend: 20_000, hotplug: 20_000, settle: 300 }
const disks = (store: Xenstore) =>
  treeAt(store, ['/libxl/11/device', '/local/domain/11/device', '/local/domain/0/backend'])

/** A machine whose script sets a device up, and counts how often. */
function scripts(store: Xenstore) {
  return scriptedHost(async ({ args, env: { XENBUS_PATH } }) => {
    const path = `/local/domain/0/${XENBUS_PATH}`
    if (args[0] === 'add') {
      await store.write(`${path}/physical-device`, '7:0')
      await store.write(`${path}/hotplug-status`, 'connected')
    }
    return {}
  })
}

onEachSocket(t, 'attaches what is missing, and then finds all of it', async (t, { connect }) => {
  const [store, backend] = [await connect(), await connect()]
  for (const index of names.keys()) playBackend(t, backend, backendOf(index))
  const host = scripts(store)
  await addDisk(store, wanted[1]!, { domid, host, timeouts })
  const first = await ensureDisks(store, wanted, { domid, host, timeouts })
  t.match(first, {
    complete: true,
    disks: [{ outcome: 'attached' }, { outcome: 'adopted' }, { outcome: 'attached' }],
    unwanted: [],
  })
  const tree = await disks(store)
  const again = await ensureDisks(store, wanted, { domid, host, timeouts })
  t.match(again, { complete: true, disks: names.map(vdev => ({ vdev, outcome: 'adopted' })) })
  t.strictSame(await disks(store), tree, 'nothing is written twice')
  t.equal(host.calls.length, 3, 'no script runs twice')
  t.equal(store.statistics.watches, 0)
})

t.test('takes up what a killed process left, and runs the script that it did not', async t => {
  const { store, as } = await stage(t)
  await addDisks(store, wanted, { domid, host: hostWhere(() => 'block'), wait: false })
  for (const index of names.keys()) playBackend(t, as(0), backendOf(index))
  const host = scripts(store)
  t.match(await ensureDisks(store, wanted, { domid, host, timeouts }), {
    complete: true,
    disks: names.map(() => ({ outcome: 'adopted' })),
  })
  t.strictSame(
    host.calls.map(({ args }) => args),
    [['add'], ['add'], ['add']],
  )
})

t.test('says how a disk differs, and leaves it', async t => {
  const { store } = await stage(t)
  const host = hostWhere(() => 'block')
  await addDisk(store, parseDisk('/dev/vg/other,raw,xvda,r'), { domid, host, wait: false })
  const before = await disks(store)
  const result = await ensureDisks(store, [wanted[0]!], { domid, host, wait: false })
  t.match(result, {
    complete: false,
    disks: [
      {
        vdev: 'xvda',
        outcome: 'different',
        differences: [
          { node: 'params', field: 'pdevPath', wanted: '/dev/vg/xvda', found: '/dev/vg/other' },
          { node: 'mode', field: 'readwrite', wanted: 'w', found: 'r' },
        ],
      },
    ],
  })
  t.strictSame(await disks(store), before)
})

t.test('a disk that is being detached is a different one', async t => {
  const { store } = await stage(t)
  const host = hostWhere(() => 'block')
  await addDisk(store, wanted[0]!, { domid, host, wait: false })
  await removeDisk(store, domid, 'xvda', { host, timeouts: { backend: 0 } }).catch(() => {})
  t.match(await ensureDisks(store, [wanted[0]!], { domid, host, wait: false }), {
    complete: false,
    disks: [{ outcome: 'different', differences: [{ node: 'online', wanted: '1', found: '0' }] }],
  })
  const options = {
    domid,
    host,
    wait: false,
    replaceDifferent: true,
    removal: { force: true, timeouts: { backend: 0 } },
  }
  t.match(await ensureDisks(store, [wanted[0]!], options), { complete: true, disks: [{ outcome: 'replaced' }] })
})

t.test('removes what is not wanted only when told to', async t => {
  const { store } = await stage(t)
  const host = hostWhere(() => 'block')
  await addDisks(store, wanted, { domid, host, wait: false })
  const options = { domid, host, wait: false, removal: { force: true, timeouts: { backend: 0 } } }
  t.match(await ensureDisks(store, [wanted[0]!], options), {
    complete: true,
    unwanted: [
      { vdev: 'xvdb', devid: 51728, outcome: 'left' },
      { vdev: 'xvdc', outcome: 'left' },
    ],
  })
  t.match(await ensureDisks(store, [wanted[0]!], { ...options, removeUnwanted: true }), {
    complete: true,
    disks: [{ outcome: 'adopted' }],
    unwanted: [{ outcome: 'removed' }, { outcome: 'removed' }],
  })
  t.strictSame(await store.directory('/libxl/11/device/vbd'), ['51712'])
})

t.test('one that cannot be attached does not undo the others', async t => {
  const { store } = await stage(t)
  const host = hostWhere(path => (path.endsWith('xvdb') ? 'missing' : 'block'))
  const result = await ensureDisks(store, wanted, { domid, host, wait: false })
  t.match(result, {
    complete: false,
    disks: [
      { outcome: 'attached' },
      { outcome: 'failed', error: { reason: 'target-missing' } },
      { outcome: 'attached' },
    ],
  })
  t.strictSame(await store.directory('/libxl/11/device/vbd'), ['51712', '51744'])
})

t.test('two wanted disks that are one device', async t => {
  const { store } = await stage(t)
  const twice = [parseDisk('/dev/a,raw,xvda,w'), parseDisk('/dev/b,raw,xvda,w')]
  const options = { domid, host: hostWhere(() => 'block'), wait: false }
  await t.rejects(ensureDisks(store, twice, options), { code: 'ERROR_DEVICE_EXISTS' })
})

onEachSocket(t, 'two at once', async (t, { connect }) => {
  const stores = [await connect(), await connect()]
  const host = hostWhere(() => 'block')
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all(stores.map(store => ensureDisks(store, wanted, { domid, host, wait: false })))
    t.ok(results.every(({ complete }) => complete))
    const attached = results.flatMap(({ disks }) => disks).filter(({ outcome }) => outcome === 'attached')
    t.equal(attached.length, names.length, 'each disk is attached once')
    await stores[0]!.rm('/libxl/11/device')
    await stores[0]!.rm('/local/domain/11/device')
    await stores[0]!.rm('/local/domain/0/backend')
  }
})

onEachSocket(t, 'after a kill at any moment the next call makes all of it whole', async (t, { path, connect }) => {
  const store = await connect()
  const host = hostWhere(() => 'block')
  const worker = join(projectRoot, 'build/test/libxl/store/attach-worker.js')
  for (let round = 0; round < 6; round++) {
    const { PATH } = process.env
    const child = spawn('env', ['-i', `PATH=${PATH}`, process.execPath, worker, path, '10000'])
    child.stdin.end('/dev/vg/xvda,raw,xvda,w\n')
    const ended = new Promise(resolve => child.once('exit', resolve))
    if (round % 2 === 0) await store.waitUntilExists('/libxl/11/device/vbd/51712/backend')
    else await new Promise(resolve => setTimeout(resolve, 100 + 10 * round))
    child.kill('SIGKILL')
    await ended
    t.match(await ensureDisks(store, wanted, { domid, host, wait: false }), { complete: true })
    await store.rm('/libxl/11/device')
    await store.rm('/local/domain/11/device')
    await store.rm('/local/domain/0/backend')
  }
})
