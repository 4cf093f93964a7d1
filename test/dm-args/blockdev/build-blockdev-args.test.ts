import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LibxlError, type ResolvedDisk } from 'xenlight'
import { type BlockdevOptions, buildBlockdevArgs, buildDiskArgs } from 'xenlight/dm-args'
import { anyDisks, anyOptions, colo, resolved } from './disks.js'
import { devicesOf, type Node, nodesOf, within } from './nodes.js'

const guest = { domid: 11, domainType: 'hvm' } as const
const cache = '"cache":{"direct":false,"no-flush":false}'
const lsi = ['-device', 'lsi53c895a,id=scsi0']

const shapes: [name: string, disks: ResolvedDisk[], options: Partial<BlockdevOptions>, args: string[]][] = [
  ['no disk', [], {}, []],
  [
    'IDE',
    [resolved('vdev=hdb,target=/a,b')],
    {},
    [
      '-blockdev',
      `{"driver":"raw","node-name":"ide0-hd1",${cache},"file":{"driver":"file","node-name":"ide0-hd1-file","filename":"/a,b"}}`,
      '-device',
      'ide-hd,id=ide-832,drive=ide0-hd1,bus=ide.0,unit=1,write-cache=on',
    ],
  ],
  [
    'a format of its own',
    [resolved('format=vhd,backendtype=qdisk,vdev=xvdd,target=/v.vhd')],
    {},
    [
      '-blockdev',
      `{"driver":"vpc","node-name":"ide1-hd1",${cache},"file":{"driver":"file","node-name":"ide1-hd1-file","filename":"/v.vhd"}}`,
      '-device',
      'ide-hd,id=ide-51760,drive=ide1-hd1,bus=ide.1,unit=1,write-cache=on',
    ],
  ],
  [
    'AHCI',
    [resolved('format=qcow2,vdev=xvdf,target=/a')],
    { hdtype: 'ahci' },
    [
      '-device',
      'ahci,id=ahci0',
      '-blockdev',
      `{"driver":"qcow2","node-name":"ahcidisk-5",${cache},"file":{"driver":"file","node-name":"ahcidisk-5-file","filename":"/a"}}`,
      '-device',
      'ide-hd,id=ide-51792,drive=ahcidisk-5,bus=ahci0.5,unit=0,write-cache=on',
    ],
  ],
  [
    'SCSI, which can be read-only',
    [resolved('access=ro,vdev=sdh,target=/a')],
    {},
    [
      ...lsi,
      '-blockdev',
      `{"driver":"raw","node-name":"scsi0-hd7","read-only":true,${cache},"file":{"driver":"file","node-name":"scsi0-hd7-file","filename":"/a"}}`,
      '-device',
      'scsi-hd,id=scsi-2160,drive=scsi0-hd7,bus=scsi0.0,scsi-id=7,write-cache=on,device_id=scsi0-hd7',
    ],
  ],
  [
    'a CD drive with a medium, and one without',
    [resolved('cdrom,vdev=hdc,target=/cd.iso'), resolved('cdrom,vdev=hdd,format=empty,target=')],
    {},
    [
      '-blockdev',
      `{"driver":"raw","node-name":"ide-5632","read-only":true,${cache},"file":{"driver":"file","node-name":"ide-5632-file","filename":"/cd.iso"}}`,
      '-device',
      'ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0',
      '-device',
      'ide-cd,id=ide-5696,bus=ide.1,unit=1',
    ],
  ],
  [
    'a stub domain',
    [resolved('format=qcow2,vdev=hda,target=/a')],
    { stubdom: true },
    [
      '-blockdev',
      `{"driver":"host_device","node-name":"ide0-hd0",${cache},"filename":"/dev/xvda"}`,
      '-device',
      'ide-hd,id=ide-768,drive=ide0-hd0,bus=ide.0,unit=0,write-cache=on',
    ],
  ],
  [
    "a tapback's socket",
    [resolved('backendtype=tap,format=vhd,vdev=hda,target=/a')],
    { physicalDevicePath: '/run/tap 1,=?' },
    [
      '-blockdev',
      `{"driver":"raw","node-name":"ide0-hd0",${cache},"file":{"driver":"nbd","node-name":"ide0-hd0-file","server":{"type":"unix","path":"/run/tap 1,=?"}}}`,
      '-device',
      'ide-hd,id=ide-768,drive=ide0-hd0,bus=ide.0,unit=0,write-cache=on',
    ],
  ],
  [
    'COLO, primary',
    [colo('format=qcow2,vdev=hda,target=/p')],
    {},
    [
      '-blockdev',
      `{"driver":"quorum","node-name":"colo-disk0",${cache},"read-pattern":"fifo","vote-threshold":1,"children":[` +
        '{"driver":"qcow2","node-name":"ide0-hd0","file":{"driver":"file","node-name":"ide0-hd0-file","filename":"/p"}}]}',
      '-device',
      'ide-hd,id=ide-768,drive=colo-disk0,bus=ide.0,unit=0,write-cache=on',
    ],
  ],
  [
    'COLO, secondary',
    [colo('vdev=sda,target=/s')],
    { coloRestore: true },
    [
      ...lsi,
      '-blockdev',
      `{"driver":"raw","node-name":"colo-disk0",${cache},"file":{"driver":"file","node-name":"scsi0-hd0-file","filename":"/s"}}`,
      '-blockdev',
      `{"driver":"replication","node-name":"top-colo",${cache},"mode":"secondary","top-id":"top-colo","file":` +
        '{"driver":"qcow2","node-name":"top-colo-active","file":{"driver":"file","node-name":"top-colo-active-file","filename":"/active"},"backing":' +
        '{"driver":"qcow2","node-name":"top-colo-hidden","file":{"driver":"file","node-name":"top-colo-hidden-file","filename":"/hidden"},"backing":"colo-disk0"}}}',
      '-device',
      'scsi-hd,id=scsi-2048,drive=top-colo,bus=scsi0.0,scsi-id=0,write-cache=on,device_id=top-colo',
    ],
  ],
]

t.test('each shape of a disk has its nodes and its device', t => {
  for (const [name, disks, options, args] of shapes)
    t.strictSame(buildBlockdevArgs(disks, { ...guest, ...options }), { args, warnings: [] }, name)
  t.end()
})

t.test('a controller is there for libxl, not for a disk', t => {
  const elsewhere = resolved('vdev=sda,backend=storage,target=/a')
  const { args, warnings } = buildBlockdevArgs([elsewhere], { ...guest, hdtype: 'ahci' })
  t.strictSame(args, [...lsi, '-device', 'ahci,id=ahci0'])
  t.match(warnings, [/^No way to get local access disk to image: sda\n/])
  t.end()
})

t.test('only HVM guests have emulated disks', t => {
  for (const domainType of ['pv', 'pvh'] as const) {
    t.strictSame(buildBlockdevArgs([resolved('vdev=sda,target=/a')], { domainType, hdtype: 'ahci' }), {
      args: [],
      warnings: [],
    })
  }
  t.throws(() => buildBlockdevArgs([], { domainType: 'HVM' as 'hvm' }), TypeError)
  t.throws(() => buildBlockdevArgs([], { ...guest, hdtype: 'scsi' as 'ide' }), TypeError)
  t.end()
})

t.test('a device is opened as one: by what targetOf says, else by its name', t => {
  const driversOf = (disk: ResolvedDisk, options: Partial<BlockdevOptions>) =>
    nodesOf(buildBlockdevArgs([disk], { ...guest, ...options }).args)
      .flatMap(within)
      .flatMap(({ driver, filename }) => (filename === undefined ? [] : [`${filename} ${driver}`]))
  for (const [path, driver] of [
    ['/dev/vg/lv', 'host_device'],
    ['/dev/shm/a.img', 'file'],
    ['/images/dev/sda', 'file'],
    ['dev/sda', 'file'],
  ]) {
    t.strictSame(driversOf(resolved(`vdev=hda,target=${path}`), {}), [`${path} ${driver}`])
  }
  for (const [target, driver] of [
    ['block', 'host_device'],
    ['char', 'host_device'],
    ['file', 'file'],
    ['dir', 'file'],
    ['missing', 'file'],
  ] as const) {
    t.strictSame(driversOf(resolved('vdev=hda,target=/dev/a'), { targetOf: () => target }), [`/dev/a ${driver}`])
  }
  const secondary = { ...colo('vdev=hda,target=/dev/base'), hiddenDisk: '/dev/hidden' }
  t.strictSame(driversOf(secondary, { coloRestore: true }), [
    '/dev/base host_device',
    '/active file',
    '/dev/hidden host_device',
  ])
  const targetOf = (path: string) => (path === '/active' ? 'block' : 'file')
  t.strictSame(driversOf(secondary, { coloRestore: true, targetOf }), [
    '/dev/base file',
    '/active host_device',
    '/dev/hidden file',
  ])
  const published = { physicalDevicePath: '/dev/loop3' }
  t.strictSame(driversOf(resolved('script=x,vdev=hda,target=y'), published), ['/dev/loop3 host_device'])
  t.throws(() => driversOf(resolved('vdev=hda,target=/a'), { targetOf: () => 'disk' as 'file' }), TypeError)
  t.end()
})

t.test('a name without a letter gets the place that QEMU gives it in the other form', t => {
  const places = (...specs: string[]) =>
    buildBlockdevArgs(
      specs.map(spec => resolved(`${spec},target=/x`)),
      { domainType: 'hvm' },
    ).args.flatMap(arg => /^ide-.*(ide\.\d,unit=\d)/.exec(arg)?.[1] ?? [])
  t.strictSame(places('vdev=hda', 'vdev=xvd', 'cdrom,vdev=hdd'), ['ide.0,unit=0', 'ide.0,unit=1', 'ide.1,unit=1'])
  t.strictSame(places('vdev=xvd', 'vdev=hdb', 'vdev=d-1p1'), ['ide.0,unit=0', 'ide.0,unit=1', 'ide.1,unit=0'])
  t.strictSame(places('cdrom,vdev=xvd', 'vdev=hda'), ['ide.0,unit=1', 'ide.0,unit=0'])
  t.end()
})

t.test('what libxl or QEMU would refuse is refused, with what was warned of before', t => {
  const long = `e${'x'.repeat(31)}`
  const cases: [disks: ResolvedDisk[], message: RegExp | string, options?: Partial<BlockdevOptions>, rc?: number][] = [
    [[resolved('access=ro,vdev=hda,target=/a')], "qemu-xen doesn't support read-only IDE disk drivers"],
    [
      [resolved('access=ro,vdev=hda,target=/a')],
      "qemu-xen doesn't support read-only AHCI disk drivers",
      { hdtype: 'ahci' },
    ],
    [[resolved('vdev=hda,target=/a'), resolved('vdev=xvda,target=/b')], /disk xvda: hda is already in place 0 of IDE/],
    [[resolved('vdev=hda,target=/a'), resolved('vdev=hda,target=/b')], /hda is given twice/, {}, -17],
    [[resolved('vdev=sdi,target=/a')], /disk sdi: the SCSI bus has the places 0 to 7 \(sda to sdh\), not 8/],
    [[resolved('cdrom,vdev=xvde,target=/a')], /disk xvde: IDE has the places 0 to 3 \(hda to hdd\), not 4/],
    [
      [resolved('vdev=hdb,target=/a'), { ...resolved('vdev=hda,target=/b'), vdev: 'hd', backend: 'standalone' }],
      /disk hd: hdb has its device number already/,
    ],
    [[resolved('vdev=xvd,target=/a'), resolved('vdev=hda,target=/b')], /disk hda: xvd is already in place 0 of IDE/],
    [[colo('vdev=hda,target=/a')], /disk hda: libxl knows no COLO on AHCI/, { hdtype: 'ahci' }],
    [[{ ...colo('vdev=hda,target=/a'), hiddenDisk: undefined }], /disk hda: COLO needs hidden-disk/],
    [[colo('vdev=hda,target=/a', long)], /disk hda: .* at most 31 characters, colo-export "ex+" has 32$/],
    [[colo('vdev=hda,target=/a', 'a b')], /QEMU takes no id "a b"/],
    [[resolved('vdev=hda,target=/a\udc80')], /holds bytes that are not UTF-8/],
    [[{ ...resolved('vdev=hda,target=/a'), pdevPath: '/a\0b' }], /NUL/],
  ]
  const warned = resolved('vdev=51872,target=/x')
  for (const [disks, message, options, rc = -6] of cases) {
    const build = () => buildBlockdevArgs([warned, ...disks], { ...guest, ...options })
    t.throws(build, { name: 'LibxlError', rc, message }, String(message))
  }
  const refused = [warned, resolved('access=ro,vdev=hda,target=/a')]
  const error = t.throws(() => buildBlockdevArgs(refused, guest)) as LibxlError
  t.strictSame(error.warnings, ['unable to determine disk number for 51872'])
  t.ok(buildBlockdevArgs([colo('vdev=hda,target=/a', long.slice(1))], guest).args.length > 0)
  t.end()
})

t.test("characters that QEMU's JSON reader does not take are refused by number", t => {
  for (const [character, code] of [
    ['\ufdd0', 'FDD0'],
    ['\ufdef', 'FDEF'],
    ['\ufffe', 'FFFE'],
    ['\uffff', 'FFFF'],
    ['\u{1fffe}', '1FFFE'],
    ['\u{10ffff}', '10FFFF'],
  ]) {
    const message = new RegExp(`QEMU reads no JSON with U\\+${code}, `)
    for (const disk of [
      { ...resolved('vdev=hda,target=/a'), pdevPath: `/a${character}` },
      { ...colo('vdev=hda,target=/a'), hiddenDisk: `/a${character}` },
    ])
      t.throws(() => buildBlockdevArgs([disk], { ...guest, coloRestore: true }), { rc: -6, message })
  }
  for (const character of [
    '\u0001',
    '\u007f',
    '\u0085',
    '\u2028',
    '\ufdcf',
    '\ufdf0',
    '\ufffd',
    '\u{1fffd}',
    '\ue000',
  ]) {
    const { args } = buildBlockdevArgs([{ ...resolved('vdev=hda,target=/a'), pdevPath: `/a${character}` }], guest)
    t.equal(nodesOf(args)[0]?.file?.filename, `/a${character}`)
  }
  t.end()
})

t.test('no path is more than a path', t => {
  for (const path of [
    '/g.img,file=/victim',
    'nbd:127.0.0.1:1',
    'json:{"driver":"null-co"}',
    'file:/x',
    '/a"},"read-only":true,{"',
    '%s%n',
    '/a\nb\\',
  ]) {
    const { args } = buildBlockdevArgs([{ ...resolved('vdev=hda,target=/a'), pdevPath: path }], guest)
    t.strictSame(nodesOf(args)[0]?.file, { driver: 'file', 'node-name': 'ide0-hd0-file', filename: path })
  }
  const handed = buildBlockdevArgs([resolved('vdev=hda,target=/dev/fdset/3')], guest)
  t.equal(nodesOf(handed.args)[0]?.file?.filename, '/dev/./fdset/3')
  t.end()
})

t.test('a name that a tenant has taken is given way to', t => {
  const names = (disks: ResolvedDisk[], coloRestore = false) =>
    nodesOf(buildBlockdevArgs(disks, { ...guest, coloRestore }).args)
      .flatMap(within)
      .map(node => node['node-name'])
  t.strictSame(names([colo('vdev=hda,target=/a', 'ide0-hd0')]), ['ide0-hd0', 'ide0-hd0-1', 'ide0-hd0-1-file'])
  const second = colo('vdev=hdb,target=/b', 'ide0-hd0-file')
  t.strictSame(names([resolved('vdev=hda,target=/a'), second]), [
    'ide0-hd0',
    'ide0-hd0-file-1',
    'ide0-hd0-file',
    'ide0-hd1',
    'ide0-hd1-file',
  ])
  const both = [colo('vdev=hda,target=/a', 'top-colo-active'), colo('vdev=hdb,target=/b', 'top-colo')]
  t.strictSame(names(both, true), [
    'top-colo-active',
    'ide0-hd0-file',
    'top-colo1',
    'top-colo1-active',
    'top-colo1-active-file',
    'top-colo1-hidden',
    'top-colo1-hidden-file',
    'top-colo',
    'ide0-hd1-file',
    'top-colo2',
    'top-colo2-active',
    'top-colo2-active-file',
    'top-colo2-hidden',
    'top-colo2-hidden-file',
  ])
  t.end()
})

/** Every file that a node opens. */
const filesOf = (nodes: readonly Node[]): string[] =>
  nodes.flatMap(within).flatMap(({ filename }) => (filename === undefined ? [] : [filename]))

t.test('whatever the disks are: arguments that QEMU can read, or a LibxlError', t => {
  let built = 0
  let replicated = 0
  fc.assert(
    fc.property(anyDisks, anyOptions, (disks, options) => {
      let args: string[]
      try {
        args = buildBlockdevArgs(disks, options).args
      } catch (error) {
        if (error instanceof LibxlError) return
        throw error
      }
      const nodes = nodesOf(args)
      const names = nodes.flatMap(within).map(node => node['node-name'])
      if (names.length > 0) built++
      for (const name of names) if (!/^[A-Za-z][-A-Za-z0-9._]{0,30}$/.test(name)) throw new Error(`name ${name}`)
      if (new Set(names).size < names.length) throw new Error(`twice: ${names}`)
      const ids = devicesOf(args).map(device => /^[a-z0-9-]+,id=([a-z][a-z0-9-]*)(?:,|$)/.exec(device)?.[1])
      if (ids.includes(undefined) || new Set(ids).size < ids.length) throw new Error(`ids ${ids}`)
      for (const device of devicesOf(args)) {
        const read = /,drive=([^,]*)/.exec(device)?.[1]
        if (read !== undefined && !nodes.some(node => node['node-name'] === read)) throw new Error(`no node ${read}`)
      }
      const named = new Set(disks.flatMap(({ pdevPath, activeDisk, hiddenDisk }) => [pdevPath, activeDisk, hiddenDisk]))
      if (nodes.some(({ driver }) => driver === 'quorum' || driver === 'replication')) replicated++
      if (options.stubdom) return
      for (const file of filesOf(nodes)) if (!named.has(file)) throw new Error(`opens ${file}`)
    }),
    { numRuns: 4000 },
  )
  t.ok(built > 500, `${built} sets of disks can be had`)
  t.ok(replicated > 100, `${replicated} of them with COLO`)
  t.end()
})

t.test('both forms open the same images, with the same warnings, or refuse for the same reason', t => {
  let compared = 0
  fc.assert(
    fc.property(anyDisks, anyOptions, (disks, options) => {
      const drive = outcome(() => buildDiskArgs(disks, options))
      const blockdev = outcome(() => buildBlockdevArgs(disks, options))
      if ('error' in blockdev) return
      if ('error' in drive) throw new Error(`only -drive refuses: ${drive.error}`)
      assert.deepEqual(blockdev.warnings, drive.warnings)
      compared++
      const opened = drive.args.flatMap(arg => [...arg.matchAll(/(?:^|[,.])file(?:name)?=((?:[^,]|,,)*)/gs)])
      const names = opened.map(([, name]) => name!.replaceAll(',,', ',')).filter(name => !name.startsWith('nbd+unix:'))
      const files = filesOf(nodesOf(blockdev.args)).map(name => (/^[^/:]*:/.test(name) ? `./${name}` : name))
      const plain = names.map(name => (/^[^/:]*:/.test(name) ? `./${name}` : name))
      assert.deepEqual(plain, files)
    }),
    { numRuns: 2000 },
  )
  t.ok(compared > 300, `${compared} compared`)
  t.end()
})

function outcome<T>(build: () => T): T | { error: string } {
  try {
    return build()
  } catch (error) {
    if (error instanceof LibxlError) return { error: error.message }
    throw error
  }
}
