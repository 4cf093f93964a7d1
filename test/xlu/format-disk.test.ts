import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type DeviceDisk, DiskFormatError, formatDisk, parseDisk, safeParseDisk } from 'xenlight'
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
  ['backendDomid', { backendDomid: 3 }],
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

t.test('canonical specs', async t => {
  t.equal(formatDisk(parseDisk('/x,,hda')), 'format=raw,vdev=hda,access=rw,target=/x')
  t.equal(formatDisk(parseDisk(',hdc:cdrom,r')), 'format=empty,vdev=hdc,devtype=cdrom,target=')
  t.equal(formatDisk(parseDisk('vdev=xvda,target=/a,b,,')), 'format=raw,vdev=xvda,access=rw,target=/a,b,,')
  t.equal(formatDisk(parseDisk('drbd:res,hda,w')), 'format=raw,vdev=hda,access=rw,script=block-drbd,target=res')
  t.ok(new DiskFormatError('vdev', undefined).message.includes('vdev'))
})
