import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { addDisk, diskEvents, diskFromNodes, getDisk, listDisks, parseDisk, removeDisk } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { startXenstored, type XenstoredKind } from '../../real/xenstored.js'
import { hostWhere, populate, storeWith, treeAt } from '../../support/disk-store.js'
import { scriptedHost } from '../../support/played-disk.js'
import { realPart } from '../../support/real-part.js'

const guests = [
  { domid: 11, type: 'pv' },
  { domid: 12, type: 'pv' },
] as const
const host = hostWhere(() => 'block')
const entry = '/libxl/11/device/vbd/51712'
const another = '/local/domain/0/backend/vbd/12/51712'

/** Links that are no link of the device 51712 of domain 11, and what is said of each. */
const links = [
  { link: another, message: `${entry}/backend names another device, ${another}: nothing is read or removed there` },
  { link: '/local/domain/0/backend/vbd/11/51728', message: 'names another device' },
  { link: '/local/domain/0/backend/virtio_disk/11/51712', message: 'names another device' },
  { link: '/local/domain/00/backend/vbd/11/51712', message: 'names another device' },
  { link: '/local/domain/-1/backend/vbd/11/51712', message: 'Unable to fetch device backend domid from' },
  { link: '/local/domain/+1/backend/vbd/11/51712', message: 'Unable to fetch device backend domid from' },
  { link: '/local/domain/4294967296/backend/vbd/11/51712', message: 'Unable to fetch device backend domid from' },
  { link: '/local/domain/4294967296/backend/vbd/11/51712', message: 'Unable to fetch device backend domid from' },
  { link: '/local/domain/0/backend/vif/11/51712', message: 'Unable to fetch device backend domid from' },
  { link: '/local/domain/0/backend/vbd/12/51712/state', message: 'Unable to fetch device backend domid from' },
  { link: '', message: 'Unable to fetch device backend domid from' },
]

async function keepsOff(t: Test, store: Xenstore): Promise<void> {
  for (const domid of [11, 12]) {
    await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), { domid, host, wait: false })
  }
  const others = await treeAt(store, ['/local/domain/12', '/local/domain/0/backend/vbd/12', '/libxl/12'])
  for (const { link, message } of links) {
    await store.write(`${entry}/backend`, link)
    const before = await treeAt(store, ['/'])
    const error = { rc: -3, code: 'ERROR_FAIL' }
    const isSaid = (found: unknown) => t.ok(String(found).includes(message), `${link}: ${found}`)
    for (const force of [false, true, 'auto'] as const) {
      const removing = removeDisk(store, 11, 'xvda', { force, host: scriptedHost(), timeouts: { backend: 1 } })
      isSaid(await t.rejects(removing, error, `${link}: removeDisk, force ${force}`))
    }
    isSaid(await t.rejects(getDisk(store, 11, 'xvda'), error, `${link}: getDisk`))
    const listed = await listDisks(store, 11)
    t.match(listed, [{ devid: 51712, error }], `${link}: listDisks`)
    isSaid(listed[0]?.error)
    const nodes = Object.entries(before).map(([path, { value }]) => ({ path, value }))
    t.throws(() => diskFromNodes(nodes, { domid: 11, vdev: 'xvda' }), error, `${link}: diskFromNodes`)
    t.strictSame(await treeAt(store, ['/']), before, `${link}: nothing was changed`)
  }
  // as libxl, which looks for its own device in the domain that the link names
  await store.write(`${entry}/backend`, another)
  t.match(await getDisk(store, 11, 'xvda', { libxlExact: true }), { backendDomid: 0, pdevPath: '/dev/a' })
  t.match(await listDisks(store, 11, { libxlExact: true }), [{ vdev: 'xvda', disk: { backendDomid: 0 } }])
  const options = { force: true, host: scriptedHost(), timeouts: { backend: 1 }, libxlExact: true }
  // not closed, and yet destroyed
  await t.rejects(removeDisk(store, 11, 'xvda', options), { rc: -9, message: /it was removed all the same/ })
  t.strictSame(await treeAt(store, [entry, '/local/domain/0/backend/vbd/11/51712']), {}, 'its own device is gone')
  const paths = ['/local/domain/12', '/local/domain/0/backend/vbd/12', '/libxl/12']
  t.strictSame(await treeAt(store, paths), others, "the other's is as it was")
  await store.rm('/libxl/11/device')
}

t.test("the embedded store: another's device is not touched", async t => {
  await keepsOff(t, await storeWith(t, guests))
})

for (const kind of ['xenstored', 'oxenstored'] satisfies XenstoredKind[]) {
  t.test(`${kind}: another's device is not touched`, async t => {
    const daemon = await realPart(t, () => startXenstored(kind))
    if (!daemon) return
    await using _ = daemon
    await using store = await connect({ path: daemon.path })
    await populate(store, guests)
    await keepsOff(t, store)
  })
}

t.test('libxl makes a number of any domain in a link', async t => {
  const store = await storeWith(t, guests)
  await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), { domid: 11, host, wait: false })
  await store.write(`${entry}/backend`, '/local/domain/-1/backend/vbd/11/51712')
  t.match(await getDisk(store, 11, 'xvda', { libxlExact: true }), { backendDomid: 4294967295 })
})

t.test('an unreadable link is no removal', async t => {
  const store = await storeWith(t, guests)
  const add = (vdev: string) =>
    addDisk(store, parseDisk(`vdev=${vdev},target=/dev/a`), { domid: 11, host, wait: false })
  await add('xvda')
  const own = await store.read(`${entry}/backend`)
  const events = diskEvents(store, 11)
  const xvda = { vdev: 'xvda', devid: 51712 }
  const write = (link: string) => store.write(`${entry}/backend`, link)
  // tells that the monitor has looked around
  const marker = async (vdev: string) => {
    const next = events.next()
    await add(vdev)
    t.match((await next).value, { type: 'added', vdev }, 'and nothing else happened')
  }
  const first = events.next()
  while (store.statistics.watches < 4) await delay(1)
  await add('xvdb')
  t.match((await first).value, { type: 'added', vdev: 'xvdb' })

  await write(another)
  t.match((await events.next()).value, { type: 'error', ...xvda, message: /names another device/ })
  await write(another)
  await marker('xvdc')
  await write('/garbage')
  t.match((await events.next()).value, { type: 'error', ...xvda, message: /Unable to fetch.*garbage/ })
  await write(own)
  await marker('xvdd')
  await write('/garbage')
  t.match((await events.next()).value, { type: 'error', ...xvda }, 'told again')
  await store.rm(entry)
  t.strictSame((await events.next()).value, { type: 'removed', ...xvda })
  await store.write('/libxl/11/device/vbd/768/backend', '/garbage')
  t.match((await events.next()).value, { type: 'error', vdev: '', devid: 768 }, 'never seen as a disk')
  await store.rm('/libxl/11/device/vbd/768')
  await marker('xvde')
  await events.return?.()
})

t.test('a device that is removed while its backend is looked at is not one whose backend failed', async t => {
  const store = await storeWith(t, guests)
  const disk = parseDisk('vdev=xvda,target=/dev/a')
  const { device } = await addDisk(store, disk, { domid: 11, host, wait: false })
  let armed = false
  const watched = new Proxy(store, {
    get: (target, key) => {
      const value = Reflect.get(target, key)
      if (key !== 'readIfPresent') return typeof value === 'function' ? value.bind(target) : value
      return async (path: string) => {
        if (armed && path === `${device.paths.backend}/state`) {
          armed = false
          await store.rm(device.paths.backend)
          await store.rm(entry)
        }
        // behind the removal, whose requests went out before
        if (path === `${entry}/backend`) await store.read('/')
        return store.readIfPresent(path)
      }
    },
  })
  const events = diskEvents(watched, 11)
  const first = events.next()
  while (store.statistics.watches < 4) await delay(1)
  for (let idle = 0; idle < 20; idle = store.statistics.inFlight === 0 ? idle + 1 : 0) await delay(1)
  armed = true
  await store.write(`${device.paths.backend}/online`, '1')
  t.match((await first).value, { type: 'removed', vdev: 'xvda' })
  await events.return?.()
})
