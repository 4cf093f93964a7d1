import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type DeviceDisk, parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, type ProtectedDisk, protectDisks } from 'xenlight/dm-args'
import { parseNbdTarget } from '#xenlight/libxl/nbd-target.js'
import { anyDisk } from '../../support/arbitrary-disk.js'
import { devicesOf, nodesOf } from '../blockdev/nodes.js'

const group = 'web'
const protectOne = (disk: DeviceDisk, options = {}): ProtectedDisk => protectDisks([disk], { group, ...options })[0]!
const resolve = (disk: DeviceDisk): ResolvedDisk =>
  resolveDisk(disk, { domid: 4, domainType: 'hvm', target: 'missing', domidOf: () => undefined, create: true })

t.test('a disk that the guest writes to gets the export of an agent, and all else of it stays', t => {
  for (const [spec, image, format] of [
    ['vdev=hda,target=/images/a.img', '/images/a.img', 'raw'],
    ['format=qcow2,vdev=hda,target=/images/a.qcow2', '/images/a.qcow2', 'qcow2'],
    ['backendtype=qdisk,vdev=hda,target=/dev/vg/a', '/dev/vg/a', 'raw'],
    ['vdev=hda,discard,direct-io-safe,target=/a b#c"\'é', '/a b#c"\'é', 'raw'],
  ] as const) {
    const disk = parseDisk(spec)
    const before = structuredClone(disk)
    t.strictSame(
      protectOne(disk),
      {
        outcome: 'protected',
        disk: {
          ...before,
          pdevPath: 'nbd+unix:///web/hda?socket=/run/repagent/web.hda.sock',
          backend: 'qdisk',
          format: 'raw',
        },
        image,
        format,
      },
      spec,
    )
    t.strictSame(disk, before, 'the one that was given is as it was')
  }
  t.end()
})

t.test('QEMU asks at the socket that the agent has, whatever its folder is called', t => {
  for (const [run, socket] of [
    ['/', '/web.hda.sock'],
    ['/run/x//', '/run/x/web.hda.sock'],
    ["/a,b %41&c=d;e?f#g+'é", "/a,b %41&c=d;e?f#g+'é/web.hda.sock"],
    ['/line\nfeed', '/line\nfeed/web.hda.sock'],
  ] as const) {
    const { disk } = protectOne(parseDisk('vdev=hda,target=/a'), { run })
    t.strictSame(parseNbdTarget(disk.pdevPath), { socket, export: 'web/hda' }, run)
    t.notMatch(disk.pdevPath, /[,\s]/, 'a spec can have it')
    const { args } = buildBlockdevArgs([resolve(disk)], { domainType: 'hvm' })
    t.match(nodesOf(args)[0]?.file, { driver: 'nbd', server: { path: socket }, export: 'web/hda' }, run)
  }
  t.end()
})

const plain = parseDisk('vdev=hda,target=/a')
const others: [name: string, disk: DeviceDisk, outcome: 'left' | 'refused', why: RegExp, field?: keyof DeviceDisk][] = [
  ['a CD drive', parseDisk('vdev=hdc,cdrom,target=/cd.iso'), 'left', /CD drive/],
  ['a CD drive without a medium', parseDisk('vdev=hdc,cdrom,format=empty,target='), 'left', /CD drive/],
  ['a read-only disk', parseDisk('vdev=hda,access=ro,target=/a'), 'left', /may not write/],
  ['a read-only disk over NBD', { ...plain, readwrite: false, pdevPath: 'nbd://h/x' }, 'left', /may not write/],
  ['COLO', parseDisk('vdev=hda,colo,target=/a'), 'refused', /COLO/, 'coloEnable'],
  ["another domain's", parseDisk('vdev=hda,backend=store,target=/a'), 'refused', /"store"/, 'backendDomname'],
  ["another domain's by number", { ...plain, backendDomid: 3 }, 'refused', /domain "3"/, 'backendDomname'],
  ['a script', parseDisk('vdev=hda,script=block-drbd,target=r0'), 'refused', /hotplug script/, 'script'],
  ['virtio', parseDisk('vdev=xvda,specification=virtio,target=/a'), 'refused', /virtio/, 'specification'],
  ['phy', parseDisk('vdev=hda,backendtype=phy,target=/dev/a'), 'refused', /not phy/, 'backend'],
  ['tap', parseDisk('vdev=hda,backendtype=tap,target=/a'), 'refused', /not tap/, 'backend'],
  ['standalone', { ...plain, backend: 'standalone' }, 'refused', /not standalone/, 'backend'],
  ['NBD', { ...plain, pdevPath: 'nbd+unix:///web/hda?socket=/s' }, 'refused', /NBD export already/, 'pdevPath'],
  ['NBD by TCP', { ...plain, pdevPath: 'nbd://host/x' }, 'refused', /another machine/, 'pdevPath'],
  ['the network', { ...plain, pdevPath: 'rbd:pool/image' }, 'refused', /another machine/, 'pdevPath'],
  ['vhd', parseDisk('format=vhd,vdev=hda,target=/a.vhd'), 'refused', /is vhd/, 'format'],
  ['qcow', parseDisk('format=qcow,vdev=hda,target=/a'), 'refused', /is qcow/, 'format'],
  ['qed', parseDisk('format=qed,vdev=hda,target=/a'), 'refused', /is qed/, 'format'],
  ['no format', { ...plain, format: 'unknown' }, 'refused', /is unknown/, 'format'],
  ['nothing', { ...plain, format: 'empty', pdevPath: undefined }, 'refused', /is empty/, 'format'],
  ['no target', { ...plain, pdevPath: undefined }, 'refused', /absolute path/, 'pdevPath'],
  ['a relative target', parseDisk('vdev=hda,target=a.img'), 'refused', /absolute path/, 'pdevPath'],
  ['bytes', { ...plain, pdevPath: '/a\udcff' }, 'refused', /no UTF-8/, 'pdevPath'],
  ['a NUL', { ...plain, pdevPath: '/a\0b' }, 'refused', /NUL/, 'pdevPath'],
  ['a path without an end', { ...plain, pdevPath: `/${'a'.repeat(4096)}` }, 'refused', /4096/, 'pdevPath'],
  ['no vdev', { ...plain, vdev: undefined }, 'refused', /"" cannot be the name/, 'vdev'],
  ['a vdev that is a path', { ...plain, vdev: '../../x' }, 'refused', /cannot be the name/, 'vdev'],
  ['a vdev with a blank', { ...plain, vdev: ' 51712' }, 'refused', /cannot be the name/, 'vdev'],
]

t.test('other disks are left as they are, or refused with what to do', t => {
  for (const [name, disk, outcome, why, field] of others) {
    const before = structuredClone(disk)
    const result = protectOne(disk)
    t.match(result, { outcome, why }, name)
    t.strictSame(result.disk, before, name)
    if (result.outcome !== 'refused') continue
    t.equal(result.field, field, name)
    t.match(result.fix, /\w/, name)
  }
  t.end()
})

t.test('the target is looked at once, where somebody can and where it would be opened', t => {
  const asked: string[] = []
  const look = (target: 'block' | 'file' | 'char' | 'dir' | 'missing', disk = plain) =>
    protectOne(disk, {
      targetOf: (path: string) => {
        asked.push(path)
        return target
      },
    })
  t.equal(look('block').outcome, 'protected')
  t.equal(look('file').outcome, 'protected')
  t.match(look('missing'), { outcome: 'refused', field: 'pdevPath', why: /cannot be examined/ })
  t.match(look('dir'), { outcome: 'refused', field: 'pdevPath', why: /no file/ })
  t.match(look('char'), { outcome: 'refused', field: 'pdevPath', why: /no file/ })
  t.strictSame(asked, Array(5).fill('/a'))
  for (const [, disk] of others.filter(([name]) => !/vdev/.test(name))) look('missing', disk)
  t.equal(asked.length, 5)
  t.throws(() => look('disk' as 'file'), TypeError)
  t.end()
})

t.test('two disks never have one volume, nor one image', t => {
  const of = (...specs: string[]) =>
    protectDisks(
      specs.map(spec => parseDisk(spec)),
      { group },
    ).map(result => (result.outcome === 'refused' ? `${result.field}: ${result.why}` : result.outcome))
  t.match(of('vdev=hda,target=/a', 'vdev=hda,target=/b'), ['protected', /^vdev: .*has its name/])
  t.match(of('vdev=hda,target=/a', 'vdev=hdb,target=/a'), ['protected', /^pdevPath: hda has its image/])
  t.match(of('vdev=hda,cdrom,target=/a', 'vdev=hda,target=/b'), ['left', /^vdev: /])
  t.strictSame(of('vdev=hda,target=/a', 'vdev=hdb,target=/b'), ['protected', 'protected'])
  t.end()
})

t.test('a socket that no system takes is refused before anybody looks for it', t => {
  const name = '/web.hda.sock'
  t.equal(protectOne(plain, { run: `/${'x'.repeat(106 - name.length)}` }).outcome, 'protected')
  t.match(protectOne(plain, { run: `/${'x'.repeat(107 - name.length)}` }), { outcome: 'refused', why: /108 bytes/ })
  t.match(protectOne(plain, { run: `/${'é'.repeat(60)}` }), { outcome: 'refused', why: /bytes/, field: undefined })
  t.end()
})

t.test('wrong options are a bug of the caller', t => {
  for (const options of [
    undefined,
    {},
    { group: '' },
    { group: '../x' },
    { group: 'a/b' },
    { group: 'x'.repeat(65) },
    { group: 5 },
    { group, run: 'relative' },
    { group, run: '/a\0' },
    { group, run: '/\udcff' },
    { group, run: 7 },
    { group, targetOf: 'file' },
  ])
    t.throws(() => protectDisks([plain], options as never), TypeError, JSON.stringify(options))
  t.throws(() => protectDisks([{}] as never, { group }), TypeError)
  t.throws(() => protectDisks(plain as never, { group }), TypeError)
  t.end()
})

t.test('of any disk: it is protected and QEMU reaches it, or it is as it was', t => {
  const likely = fc.record({
    vdev: fc.constantFrom('hda', 'hdb', 'sda', 'xvda'),
    pdevPath: fc.string({ unit: 'binary' }).map(text => `/${text}`),
    format: fc.constantFrom('raw', 'qcow2'),
    backend: fc.constantFrom('unknown', 'qdisk'),
    readwrite: fc.constant(true),
    isCdrom: fc.constant(false),
    coloEnable: fc.constant(undefined),
    script: fc.constant(undefined),
    backendDomname: fc.constant(undefined),
    backendDomid: fc.constant(0),
    specification: fc.constant('xen'),
    transport: fc.constant('unknown'),
  } as const)
  const any = fc.oneof(
    anyDisk,
    fc.tuple(anyDisk, likely).map(([disk, fields]): DeviceDisk => ({ ...disk, ...fields })),
  )
  let count = 0
  fc.assert(
    fc.property(any, disk => {
      const before = structuredClone(disk)
      const result = protectOne(disk, { run: '/run/a,b' })
      assert.deepEqual(disk, before)
      if (result.outcome !== 'protected') return assert.deepEqual(result.disk, before)
      count++
      const { pdevPath, backend, format, ...rest } = result.disk
      const { pdevPath: image, backend: _, format: of, ...same } = before
      assert.deepEqual(rest, same)
      assert.deepEqual([result.image, result.format], [image, of])
      assert.deepEqual(parseNbdTarget(pdevPath), {
        socket: `/run/a,b/web.${disk.vdev}.sock`,
        export: `web/${disk.vdev}`,
      })
      assert.deepEqual([backend, format], ['qdisk', 'raw'])
      assert.equal(resolve(result.disk).backend, 'qdisk')
    }),
    { numRuns: 2000 },
  )
  t.ok(count > 500, `${count} were protected`)
  t.end()
})

t.test('only disks over NBD wait for their server, and only those that are to', t => {
  const { disk } = protectOne(plain)
  const disks = [disk, parseDisk('vdev=hdb,target=nbd+unix:///x?socket=/s'), parseDisk('vdev=hdd,cdrom,target=/cd')]
  const resolved = disks.map(one => ({ ...resolve({ ...one, backend: 'qdisk' }) }))
  const built = (reconnectDelay?: number | ((one: ResolvedDisk) => number | undefined)) => {
    const { args } = buildBlockdevArgs(resolved, { domainType: 'hvm', reconnectDelay })
    return {
      delays: nodesOf(args).map(({ file }) => file?.['reconnect-delay']),
      stops: devicesOf(args).map(device => device.endsWith(',werror=stop,rerror=stop')),
    }
  }
  t.strictSame(built(), { delays: [undefined, undefined, undefined], stops: [false, false, false] })
  t.strictSame(built(10), { delays: [10, 10, undefined], stops: [true, true, false] })
  t.strictSame(built(0), { delays: [0, 0, undefined], stops: [true, true, false] })
  t.strictSame(
    built(({ vdev }) => (vdev === 'hda' ? 7 : undefined)),
    { delays: [7, undefined, undefined], stops: [true, false, false] },
  )
  const tap = resolveDisk(parseDisk('backendtype=tap,vdev=hda,target=/a'), {
    ...{ domid: 4, domainType: 'hvm', target: 'file', domidOf: () => undefined, create: true },
  })
  const { args } = buildBlockdevArgs([tap], { domainType: 'hvm', physicalDevicePath: '/tap', reconnectDelay: 10 })
  t.strictSame(nodesOf(args)[0]?.file?.['reconnect-delay'], undefined, "blktap's server is blktap's")
  for (const wrong of [-1, 1.5, 2 ** 32, '10', null, () => 'x', () => -1])
    t.throws(() => built(wrong as number), /reconnectDelay must be/, String(wrong))
  t.end()
})
