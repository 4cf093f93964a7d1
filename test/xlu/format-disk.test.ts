import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  addDisk,
  type DeviceDisk,
  DiskFormatError,
  type DiskFormatErrorCode,
  formatDisk,
  getDisk,
  parseDisk,
  resolveDisk,
  safeParseDisk,
} from 'xenlight'
import { memoryStore } from 'xenlight/xenstore'
import { holds } from '../support/holds.js'

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('/x', 'a b', ' \n x', 'a\nb', 'raw', 'hdc:cdrom', 'é', ''),
)
const words = fc.array(
  fc.oneof(
    fc.constantFrom(
      'cdrom',
      'discard',
      'no-discard',
      'colo',
      'no-colo',
      'trusted',
      'untrusted',
      'direct-io-safe',
      'grant_usage=0',
    ),
    fc.constantFrom(
      'format=qcow2',
      'backendtype=tap',
      'specification=virtio',
      'access=r',
      'colo-port=-7',
      'raw:',
      'drbd:',
      ',',
    ),
    fc
      .constantFrom('backend', 'vdev', 'script', 'colo-host', 'colo-export', 'active-disk', 'hidden-disk', 'target')
      .chain(key => text.map(value => `${key}=${value}`)),
    text,
  ),
  { maxLength: 8 },
)

t.test('parse after format is the identity on every record that a spec gives', async t => {
  let given = 0
  holds(
    t,
    fc.property(words, words => {
      const result = safeParseDisk(words.join(','))
      if (!result.success) return
      given++
      assert.deepEqual(parseDisk(formatDisk(result.disk)), result.disk)
    }),
    { numRuns: 5000 },
  )
  t.ok(given > 200, `${given} specs were good ones`)
})

const disk = parseDisk('vdev=xvda,target=/x')
const cases: [keyof DeviceDisk, Partial<DeviceDisk>][] = [
  ['coloRestoreEnable', { coloRestoreEnable: true }],
  ['transport', { transport: 'mmio' }],
  ['irq', { irq: 1 }],
  ['base', { base: 4096 }],
  ['vdev', { vdev: undefined }],
  ['vdev', { vdev: 'xvda,xvdb' }],
  ['pdevPath', { pdevPath: undefined }],
  ['pdevPath', { pdevPath: 'a\nb,c' }],
  ['pdevPath', { pdevPath: 'a\0b' }],
  ['script', { script: 'a,b' }],
  ['coloHost', { coloHost: 'h,colo-port=1' }],
  ['format', { format: 'unknown' }],
  ['removable', { removable: true }],
  ['readwrite', { isCdrom: true, removable: true }],
]
for (const [field, change] of cases) {
  t.test(`no spec gives ${JSON.stringify(change)}`, async t => {
    t.throws(() => formatDisk({ ...disk, ...change }), { name: 'DiskFormatError', field })
  })
}

t.test('a record need not name what it leaves unset', async t => {
  const { pdevPath, vdev, backend, format, removable, readwrite, isCdrom, directIoSafe, specification, transport } =
    disk
  const { backendDomid, irq, base, coloPort } = disk
  const sparse = {
    pdevPath,
    vdev,
    backend,
    format,
    removable,
    readwrite,
    isCdrom,
    directIoSafe,
    specification,
    transport,
  }
  t.equal(
    formatDisk({ ...sparse, backendDomid, irq, base, coloPort } as DeviceDisk),
    'format=raw,vdev=xvda,access=rw,target=/x',
  )
})

t.test("a backend's domain is named, else numbered", async t => {
  const context = { domid: 4, domainType: 'hvm', target: 'block', domidOf: () => 7 } as const
  const numbered = { ...disk, backendDomid: 7 }
  t.equal(formatDisk(numbered), 'format=raw,vdev=xvda,access=rw,backend=7,target=/x')
  const named = { ...numbered, backendDomname: 'storage' }
  t.equal(formatDisk(named), 'format=raw,vdev=xvda,access=rw,backend=storage,target=/x')
  for (const record of [numbered, named]) {
    const again = resolveDisk(parseDisk(formatDisk(record)), context)
    t.strictSame(
      { ...again, backendDomname: undefined },
      { ...resolveDisk(record, context), backendDomname: undefined },
    )
    t.equal(again.backendDomid, 7)
  }
  const highest = { ...disk, backendDomid: 0xffffffff }
  t.equal(resolveDisk(parseDisk(formatDisk(highest)), context).backendDomid, 0xffffffff)
})

t.test('the code says why there is no spec', async t => {
  const codes: [change: Partial<DeviceDisk>, code: DiskFormatErrorCode][] = [
    [{ coloExport: 'a,b' }, 'unwritable-text'],
    [{ pdevPath: 'a\0b' }, 'unwritable-text'],
    [{ irq: 1 }, 'unwritable-field'],
    [{ removable: true }, 'unwritable-field'],
    [{ vdev: undefined }, 'unwritable-value'],
    [{ format: 'unknown' }, 'unwritable-value'],
  ]
  for (const [change, code] of codes)
    t.throws(() => formatDisk({ ...disk, ...change }), { code }, JSON.stringify(change))
})

t.test('what getDisk reads of a driver domain is written', async t => {
  await using store = memoryStore()
  await store.write('/libxl/4/type', 'pv')
  await store.write('/local/domain/4/name', 'guest')
  await store.write('/local/domain/7/name', 'storage')
  await addDisk(store, parseDisk('vdev=xvda,backend=storage,target=/dev/vg/x'), { domid: 4, wait: false })
  const spec = formatDisk(await getDisk(store, 4, 'xvda'))
  t.match(spec, /,backend=7,/)
  t.match(parseDisk(spec), { vdev: 'xvda', pdevPath: '/dev/vg/x', backendDomname: '7' })
})

t.test('canonical specs', async t => {
  t.equal(formatDisk(parseDisk('/x,,hda')), 'format=raw,vdev=hda,access=rw,target=/x')
  t.equal(formatDisk(parseDisk(',hdc:cdrom,r')), 'format=empty,vdev=hdc,devtype=cdrom,target=')
  t.equal(formatDisk(parseDisk('vdev=xvda,target=/a,b,,')), 'format=raw,vdev=xvda,access=rw,target=/a,b,,')
  t.equal(formatDisk(parseDisk('drbd:res,hda,w')), 'format=raw,vdev=hda,access=rw,script=block-drbd,target=res')
  t.ok(new DiskFormatError('unwritable-value', 'vdev', undefined).message.includes('vdev'))
})
