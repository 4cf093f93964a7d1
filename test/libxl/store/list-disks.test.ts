import t, { type Test } from 'tap'
import { addDisk, addDisks, getDisk, type ListedDisk, listDisks, parseDisk, toLibxlJson } from 'xenlight'
import { connect, type Xenstore } from 'xenlight/xenstore'
import { destroyDevice } from '#xenlight/libxl/store/destroy-device.js'
import { startXenstored } from '../../real/xenstored.js'
import { attachments } from '../../support/attachments.js'
import { hostWhere, populate, storeWith } from '../../support/disk-store.js'
import { hindered } from '../../support/hindered.js'
import { stage, written } from '../../support/played-disk.js'
import { realPart } from '../../support/real-part.js'

const guests = [
  { domid: 11, type: 'pv' },
  { domid: 12, type: 'hvm' },
  { domid: 13, type: 'pvh' },
] as const
const host = hostWhere(() => 'block')
const options = { domid: 11, host, wait: false }
const own = '/libxl/11/device/vbd/51712'

async function readsAll(t: Test, store: Xenstore): Promise<void> {
  for (const row of attachments.filter(row => row.rc === 0)) {
    const { domid, spec } = row
    const host = hostWhere(() => row.target)
    const { disk, device } = await addDisk(store, parseDisk(spec), { domid, host, wait: false, libxlExact: true })
    const [listed, ...others] = await listDisks(store, domid, { libxlExact: true })
    t.strictSame(others, [])
    t.match(listed, { devid: device.devid, vdev: disk.vdev })
    t.strictSame(JSON.parse(toLibxlJson(listed!.disk!)), row.readback, `list: ${spec}`)
    if (device.devid >= 0) {
      const read = await getDisk(store, domid, disk.vdev, { libxlExact: true })
      t.strictSame(JSON.parse(toLibxlJson(read)), row.readback, `get: ${spec}`)
      t.strictSame(await getDisk(store, domid, disk.vdev), (await listDisks(store, domid))[0]!.disk)
    }
    await destroyDevice(store, device)
  }
}

t.test('the embedded store gives back what libxl read back', async t => {
  await readsAll(t, await storeWith(t, guests))
})

t.test('xenstored gives back what libxl read back', async t => {
  const daemon = await realPart(t, () => startXenstored('xenstored'))
  if (!daemon) return
  await using _ = daemon
  await using store = await connect({ path: daemon.path })
  await populate(store, guests)
  await readsAll(t, store)
})

t.test('what libxl forgets is restored', async t => {
  const store = await storeWith(t)
  const disk = parseDisk('format=qcow2,no-discard,untrusted,direct-io-safe,vdev=xvda,target=/img/a:b.qcow2')
  await addDisk(store, disk, options)
  t.match(await getDisk(store, 11, 'xvda'), {
    ...disk,
    ...{ backend: 'qdisk', specification: 'xen', coloEnable: false },
  })
  t.match(await getDisk(store, 11, 'xvda', { libxlExact: true }), { pdevPath: '/img/a:b.qcow2', format: 'unknown' })
})

t.test('what the guest writes is not believed, but that it trusts its backend less', async t => {
  const store = await storeWith(t)
  const { device } = await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), options)
  const before = await getDisk(store, 11, 'xvda')
  for (const key of [
    'backend',
    'backend-id',
    'state',
    'virtual-device',
    'device-type',
    'params',
    'dev',
    'type',
    'trusted',
  ]) {
    await store.write(`${device.paths.frontend}/${key}`, '/../../etc/passwd')
  }
  for (let i = 0; i < 20; i++) await store.write(`/local/domain/11/device/vbd/${i}/backend`, '/local/domain/0/x')
  t.strictSame(await getDisk(store, 11, 'xvda'), before)
  t.strictSame(await listDisks(store, 11), [{ devid: 51712, vdev: 'xvda', disk: before }])
  await store.write(`${device.paths.frontend}/trusted`, '0')
  t.strictSame(await getDisk(store, 11, 'xvda'), { ...before, trusted: false })
})

t.test('a broken disk does not hide the others', async t => {
  const store = await storeWith(t)
  await addDisks(
    store,
    ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b'].map(spec => parseDisk(spec)),
    options,
  )
  await store.rm(`${own}/mode`)
  await store.write('/libxl/11/device/vbd/768/x', '')
  const message = `Missing xenstore node ${own}/mode`
  const listed = new Map((await listDisks(store, 11)).map((disk): [number, ListedDisk] => [disk.devid, disk]))
  t.match(listed.get(51712), { error: { rc: -3, message } })
  t.match(listed.get(51728), { vdev: 'xvdb', disk: { pdevPath: '/dev/b' } })
  t.match(listed.get(768), { error: { message: 'disk /libxl/11/device/vbd/768 does not exist (no backend path' } })
  t.equal(listed.size, 3)
  await store.rm('/libxl/11/device/vbd/768')
  await t.rejects(listDisks(store, 11, { libxlExact: true }), { rc: -3, message })
  await t.rejects(getDisk(store, 11, 'xvda'), { rc: -3, message })
  t.match(await getDisk(store, 11, 'xvdb'), { pdevPath: '/dev/b' })
})

t.test('disks that are not there', async t => {
  const store = await storeWith(t)
  t.strictSame(await listDisks(store, 11), [])
  t.strictSame(await listDisks(store, 99), [])
  await t.rejects(getDisk(store, 11, 'xvda'), { rc: -3, message: `disk ${own} does not exist (no backend path` })
  await t.rejects(getDisk(store, 11, 'foo'), { rc: -6, message: 'Invalid or unsupported virtual disk identifier foo' })
  await t.rejects(getDisk(store, 11, 'xvda-2'), { rc: -6, message: /xvda-2/ }, 'attached, but found under no name')
  await t.rejects(getDisk(store, -1, 'xvda'), RangeError)
  await t.rejects(listDisks(store, 1.5), RangeError)
})

t.test("a domain has Xen's disks or virtio's", async t => {
  const store = await storeWith(t)
  await store.write('/libxl/11/device/virtio_disk/51712/backend', '/local/domain/3/backend/virtio_disk/11/51712')
  const nodes = { type: 'standalone', specification: 'virtio', transport: 'mmio', base: '33554432', irq: '33' }
  const rest = { dev: 'xvda', removable: '0', mode: 'w', 'device-type': 'disk', params: '/dev/v' }
  for (const [key, value] of Object.entries({ ...nodes, ...rest })) {
    await store.write(`/libxl/11/device/virtio_disk/51712/${key}`, value)
  }
  const virtio = { specification: 'virtio', backendDomid: 3, base: 33554432, irq: 33, pdevPath: '/dev/v' }
  t.match(await getDisk(store, 11, 'xvda'), virtio)
  t.match(await listDisks(store, 11), [{ vdev: 'xvda', disk: virtio }])
  await addDisk(store, parseDisk('vdev=xvda,target=/dev/a'), options)
  const refusal = { rc: -6, message: 'Invalid configuration, both xen and virtio paths are present' }
  await t.rejects(getDisk(store, 11, 'xvda'), refusal)
  await t.rejects(listDisks(store, 11), refusal)
})

t.test('a disk that goes while it is listed is no broken one', async t => {
  const store = await storeWith(t)
  const disks = ['vdev=xvda,target=/dev/a', 'vdev=xvdb,target=/dev/b'].map(spec => parseDisk(spec))
  const [first] = await addDisks(store, disks, options)
  const slow = new Proxy(store, {
    get: (target, key) => {
      if (key !== 'directory') return Reflect.get(target, key).bind(target)
      return async (path: string) => {
        const names = await store.directory(path)
        await destroyDevice(store, first!.device)
        return names
      }
    },
  })
  t.strictSame(
    (await listDisks(slow, 11)).map(({ vdev, error }) => [vdev, error]),
    [['xvdb', undefined]],
  )
  t.strictSame(
    (await listDisks(store, 11)).map(({ vdev, error }) => [vdev, error]),
    [['xvdb', undefined]],
  )
})

t.test('a guest that always writes in between cannot keep its disks from being read', async t => {
  const { embedded, store, as } = await stage(t)
  const { paths } = await written(store, '/dev/vg/a,raw,xvda,w')
  const guest = as(11)
  const hinderedStore = hindered(embedded, () => void guest.write(`${paths.frontend}/trusted`, '0'))
  await guest.rm(`${paths.frontend}/trusted`)
  t.match(await listDisks(hinderedStore, 11), [{ vdev: 'xvda' }])
  t.match(await getDisk(hinderedStore, 11, 'xvda'), { vdev: 'xvda', trusted: false })
})
