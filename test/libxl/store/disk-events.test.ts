import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { type DiskEvent, diskEvents, removeDisk } from 'xenlight'
import { destroyDevice } from '#xenlight/libxl/store/destroy-device.js'
import { treeAt } from '../../support/disk-store.js'
import { hindered } from '../../support/hindered.js'
import { playBackend, scriptedHost, stage, written } from '../../support/played-disk.js'

const spec = '/dev/vg/a,raw,xvda,w'
const cdrom = '/cd.iso,raw,hdc,cdrom,backendtype=qdisk'
const xvda = { vdev: 'xvda', devid: 51712 }
const hdc = { vdev: 'hdc', devid: 5632 }

/** The events of a stream in turn; `begun` when it has looked around once. */
async function listening(store: Parameters<typeof diskEvents>[0]) {
  const events = diskEvents(store, 11)
  let first: Promise<IteratorResult<DiskEvent, undefined>> | undefined = events.next()
  // the list, then the devices' backends, then nothing more to ask
  for (let idle = 0; idle < 20; idle = store.statistics.inFlight === 0 ? idle + 1 : 0) await delay(1)
  return {
    events,
    async next() {
      const result = await (first ?? events.next())
      first = undefined
      return result.value
    },
  }
}

t.test('disks come and go', async t => {
  const { store, as } = await stage(t)
  const watcher = as(0)
  const { events, next } = await listening(watcher)
  const device = await written(store, spec)
  t.strictSame(await next(), { type: 'added', ...xvda })
  playBackend(t, as(0), device)
  await removeDisk(store, 11, 'xvda', { host: scriptedHost() })
  t.strictSame(await next(), { type: 'removed', ...xvda }, 'closed when it was told to, it is no error')
  const other = await written(store, `${spec},backend=storage`)
  t.strictSame(await next(), { type: 'added', ...xvda })
  await destroyDevice(store, other)
  t.strictSame(await next(), { type: 'removed', ...xvda })
  await events.return?.()
  t.equal(watcher.statistics.watches, 0)
})

t.test('a disk replaced by another of its number', async t => {
  const { store, as } = await stage(t)
  const device = await written(store, spec)
  const { next } = await listening(as(0))
  await destroyDevice(store, device)
  await written(store, `${spec},backend=storage`)
  t.strictSame(await next(), { type: 'removed', ...xvda })
  t.strictSame(await next(), { type: 'added', ...xvda })
})

t.test('a disk that is removed or replaced while its backend is looked at has not failed', async t => {
  const replaced = '/local/domain/7/backend/vbd/11/51712'
  for (const link of [undefined, replaced]) {
    const { embedded, store, as } = await stage(t)
    const { paths } = await written(store, spec)
    let armed = false
    const disturb = () => {
      armed = false
      store.rm(paths.backend).catch(error => t.fail(String(error)))
      const changed = link === undefined ? store.rm(paths.libxl) : store.write(`${paths.libxl}/backend`, link)
      changed.catch(error => t.fail(String(error)))
    }
    const isLook = (packet: Uint8Array) => armed && Buffer.from(packet).includes(`${paths.backend}/state\0`)
    const { next } = await listening(hindered(embedded, disturb, isLook))
    armed = true
    await as(0).write(`${paths.backend}/state`, '4')
    t.strictSame(await next(), { type: 'removed', ...xvda })
    t.notOk(armed)
    if (link !== undefined) t.strictSame(await next(), { type: 'added', ...xvda })
  }
})

t.test('the guest ejects', async t => {
  const { store, as } = await stage(t)
  const { paths } = await written(store, cdrom)
  const fixed = await written(store, spec)
  const guest = as(11)
  await guest.write(`${fixed.paths.frontend}/eject`, 'eject')
  const { next } = await listening(as(0))
  const before = await treeAt(store, [fixed.paths.frontend])
  for (let times = 0; times < 3; times++) {
    await guest.write(`${paths.frontend}/eject`, 'eject')
    t.strictSame(await next(), { type: 'eject', ...hdc })
    t.equal(await guest.read(`${paths.frontend}/eject`), '', 'which is acknowledged')
  }
  t.strictSame(await treeAt(store, [fixed.paths.frontend]), before, 'only what is removable can be ejected')

  await guest.write(`${paths.frontend}/eject`, 'nothing of the kind')
  await guest.write('/local/domain/11/device/vbd/5632/eject/deep/below', 'eject')
  await guest.write(`${paths.frontend}/eject`, 'eject')
  t.strictSame(await next(), { type: 'eject', ...hdc }, 'nothing else was one')
})

t.test('ejected before anybody listens', async t => {
  const { store, as } = await stage(t)
  const { paths } = await written(store, cdrom)
  await as(11).write(`${paths.frontend}/eject`, 'eject')
  for await (const event of diskEvents(store, 11)) {
    t.strictSame(event, { type: 'eject', ...hdc })
    break
  }
})

t.test("of a guest with a device model's domain, that ejects", async t => {
  const { store, as } = await stage(t)
  await store.write('/local/domain/11/image/device-model-domid', '7')
  await written(store, cdrom)
  const { next } = await listening(as(0))
  await store.write('/local/domain/7/device/vbd/5632/eject', 'eject')
  t.strictSame(await next(), { type: 'eject', ...hdc })
})

t.test('a backend that fails', async t => {
  const { store, as } = await stage(t)
  const { paths } = await written(store, spec)
  const backend = as(0)
  const error = '/local/domain/0/error/backend/vbd/11/51712/error'
  await backend.write(error, 'of an earlier device')
  const { next } = await listening(as(0))
  const message = async () => {
    const event = await next()
    if (event?.type !== 'error') return event?.type
    t.match(event, xvda)
    return event.message
  }

  await backend.write(error, '5 reading the ring\n')
  t.equal(await message(), `${paths.backend}: the backend: "5 reading the ring␊" (${error})`)
  await backend.write(`${paths.backend}/hotplug-error`, 'no loop device')
  t.equal(await message(), `${paths.backend}: script: "no loop device"`)
  await backend.rm(error)
  await backend.rm(`${paths.backend}/hotplug-error`)
  await backend.write(`${paths.backend}/state`, '4')
  await backend.write(`${paths.backend}/state`, '6')
  t.equal(await message(), `${paths.backend}: the backend gave the device up, state 6 (Closed)`)
  await backend.rm(paths.backend)
  t.equal(await message(), `${paths.backend}: the backend's directory is gone`)
})

t.test('an old error is not a new disk’s', async t => {
  const { store, as } = await stage(t)
  const error = '/local/domain/0/error/backend/vbd/11/51712/error'
  await store.write(error, 'of an earlier device')
  const { next } = await listening(as(0))
  const device = await written(store, spec)
  t.strictSame(await next(), { type: 'added', ...xvda })
  await destroyDevice(store, device)
  t.strictSame(await next(), { type: 'removed', ...xvda })
})

t.test('whatever the guest writes, there is one watch for it and bounded memory', async t => {
  const { store, as } = await stage(t)
  const { paths } = await written(store, cdrom)
  const watcher = as(0)
  const { events, next } = await listening(watcher)
  const { watches } = watcher.statistics
  t.equal(watches, 5, 'two kinds of devices, the backends, their errors, the guest’s directory')
  const guest = as(11)
  // devices that nobody gave it, as many as its quota allows
  await store.setPermissions('/local/domain/11/device/vbd', [{ domid: 11, access: 'none' }])
  for (let devid = 0; devid < 400; devid++) await guest.write(`/local/domain/11/device/vbd/${devid}/eject`, 'eject')
  for (let times = 0; times < 2000; times++) guest.write(`${paths.frontend}/state`, String(times)).catch(() => {})
  await guest.write(`${paths.frontend}/eject`, 'eject')
  t.strictSame(await next(), { type: 'eject', ...hdc })
  t.equal(watcher.statistics.watches, watches)
  await events.return?.()
  t.equal(watcher.statistics.watches, 0)
})

t.test('broken devices of the toolstack are passed over', async t => {
  const { store, as } = await stage(t)
  await store.write('/libxl/11/device/vbd/1/backend', '/nowhere')
  await store.write('/libxl/11/device/vbd/x/backend', '/local/domain/0/backend/vbd/11/2')
  await store.write('/libxl/11/device/vif/0/backend', '/local/domain/0/backend/vif/11/0')
  const { next } = await listening(as(0))
  await written(store, spec)
  t.strictSame(await next(), { type: 'added', ...xvda })
})

t.test('its end', async t => {
  const { as } = await stage(t)
  const aborting = new AbortController()
  const watcher = as(0)
  const aborted = diskEvents(watcher, 11, { signal: aborting.signal }).next()
  setTimeout(() => aborting.abort(), 20)
  await t.rejects(aborted, { name: 'XenstoreError', code: 'ECANCELED' })
  t.equal(watcher.statistics.watches, 0)

  const lost = diskEvents(watcher, 11).next()
  setTimeout(() => watcher.close(), 20)
  await t.rejects(lost, { name: 'XenstoreError', code: 'EBADF' })
  t.throws(() => diskEvents(watcher, 99999), { name: 'RangeError' })
})

t.test('left while an event is waited for', async t => {
  const { as } = await stage(t)
  const watcher = as(0)
  const { events } = await listening(watcher)
  t.strictSame(await events.return?.(), { done: true, value: undefined })
  t.strictSame(await events.next(), { done: true, value: undefined })
  t.equal(watcher.statistics.watches, 0)
})

t.test('a guest that ejects again and again ends nothing', async t => {
  const { embedded, store, as } = await stage(t)
  const { paths } = await written(store, cdrom)
  const guest = as(11)
  let times = 30
  const eject = () => void (times-- > 0 && guest.write(`${paths.frontend}/eject`, 'eject'))
  const { next } = await listening(hindered(embedded, eject))
  await guest.write(`${paths.frontend}/eject`, 'eject')
  t.strictSame(await next(), { type: 'eject', ...hdc })
  t.ok(times <= 0, 'more often than a transaction is tried')
})
