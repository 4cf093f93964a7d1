import t from 'tap'
import { type LibxlReason, parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs, type DiskArgsOptions, diskWarnings } from 'xenlight/dm-args'

const domains: ReadonlyMap<string, number> = new Map([
  ['storage', 7],
  ['Domain-0', 0],
])

const resolve = (
  spec: string,
  target: 'block' | 'file' | 'missing' = 'file',
  domainType: DiskArgsOptions['domainType'] = 'hvm',
): ResolvedDisk =>
  resolveDisk(parseDisk(spec), { domid: 11, domainType, target, domidOf: name => domains.get(name), create: true })

const guest = { domid: 11, domainType: 'hvm' } as const

const colo = (rest: string, exported = 'e1'): ResolvedDisk =>
  resolve(`colo,colo-host=h,colo-port=9,colo-export=${exported},active-disk=/a,hidden-disk=/h,${rest}`)

t.test('two secondary disks have different ids', t => {
  const disks = [colo('vdev=hda,target=/x'), colo('vdev=sdb,target=/y', 'e2'), colo('vdev=hdc,target=/z', 'top-colo1')]
  const { args } = buildDiskArgs(disks, { ...guest, coloRestore: true })
  const ids = args.flatMap(arg => /,id=([^,]*)/.exec(arg)?.[1] ?? [])
  t.strictSame(ids, ['e1', 'top-colo', 'e2', 'top-colo2', 'top-colo1', 'top-colo3'])
  t.strictSame(
    args.flatMap(arg => /,top-id=([^,]*)/.exec(arg)?.[1] ?? []),
    ['top-colo', 'top-colo2', 'top-colo3'],
  )
  t.ok(args.includes('scsi-hd,drive=top-colo2,scsi-id=1'))
  t.end()
})

t.test('a comma in a name is a comma to QEMU, too', t => {
  const evil = '/g.img,file=/victim.img'
  const quoted = '/g.img,,file=/victim.img'
  const specs = ['vdev=hda', 'vdev=sda', 'cdrom,vdev=hdc', 'format=qcow2,vdev=hda']
  const disks = [
    ...specs.map(spec => resolve(`${spec},target=${evil}`)),
    colo(`vdev=hda,target=${evil}`),
    colo(`vdev=sda,target=${evil}`),
  ]
  for (const disk of disks) {
    const secondary = { ...disk, activeDisk: evil, hiddenDisk: evil }
    for (const options of [guest, { ...guest, hdtype: 'ahci' }, { ...guest, coloRestore: true }] as const) {
      if (disk.coloEnable && 'hdtype' in options) continue
      const { args } = buildDiskArgs([secondary], options)
      for (const arg of args) t.notOk(arg.replaceAll(quoted, '').includes('victim'), arg)
      t.ok(args.some(arg => arg.includes(quoted)))
    }
    t.ok(buildDiskArgs([secondary], { ...guest, libxlExact: true }).args.some(arg => arg.includes(evil)))
  }
  t.strictSame(
    buildDiskArgs([resolve('vdev=hda,script=x,target=y')], { ...guest, physicalDevicePath: '/dev/a,b' }).args[1],
    'file=/dev/a,,b,if=ide,index=0,media=disk,format=raw,cache=writeback',
  )
  t.end()
})

t.test('a COLO disk that QEMU cannot start with is refused by name', t => {
  const disk = colo('vdev=hda,target=/x')
  const cases: [change: Partial<ResolvedDisk>, role: 'primary' | 'secondary', message: RegExp][] = [
    [{ coloExport: undefined }, 'primary', /^disk hda: COLO needs colo-export, which is not set$/],
    [{ coloExport: '' }, 'primary', /colo-export/],
    [{ activeDisk: undefined }, 'secondary', /active-disk/],
    [{ hiddenDisk: undefined }, 'secondary', /hidden-disk/],
    [{ coloExport: '0disk' }, 'primary', /QEMU takes no id "0disk"/],
    [{ coloExport: 'x,readonly=on' }, 'secondary', /QEMU takes no id "x,readonly=on"/],
    [{ readwrite: false }, 'secondary', /read-only/],
  ]
  for (const [change, role, message] of cases) {
    const options = { ...guest, coloRestore: role === 'secondary' }
    t.throws(() => buildDiskArgs([{ ...disk, ...change }], options), { rc: -6, message }, String(message))
  }
  t.throws(() => buildDiskArgs([disk, colo('vdev=hdb,target=/y')], guest), { rc: -6, message: /colo-export "e1"/ })
  const exact = { ...guest, coloRestore: true, libxlExact: true }
  t.match(buildDiskArgs([{ ...disk, activeDisk: undefined }], exact).args[3], /file\.file\.filename=\(null\),/)
  t.end()
})

t.test('a colo-export is refused that is the id of another drive', t => {
  const sdb = resolve('vdev=sdb,target=/p')
  const cases: [other: ResolvedDisk, id: string, options: DiskArgsOptions][] = [
    [sdb, 'scsi0-hd1', guest],
    [resolve('cdrom,vdev=hdc,target=/cd.iso'), 'ide-5632', guest],
    [resolve('cdrom,vdev=hdc'), 'ide-5632', guest],
    [resolve('vdev=hdd,target=/p'), 'ahcidisk-3', { ...guest, hdtype: 'ahci' }],
    // what QEMU itself calls an IDE drive without an id
    [resolve('vdev=hdd,target=/p'), 'ide1-hd1', guest],
  ]
  for (const [other, id, options] of cases) {
    const disk = colo('vdev=sda,target=/x', id)
    for (const disks of [
      [disk, other],
      [other, disk],
    ]) {
      const message = `disk sda: colo-export "${id}" is the id of another drive: give it another name`
      t.throws(() => buildDiskArgs(disks, options), { rc: -6, message }, id)
      t.doesNotThrow(() => buildDiskArgs(disks, { ...options, libxlExact: true }))
    }
    t.doesNotThrow(() => buildDiskArgs([disk], options), 'free without the other')
  }
  t.doesNotThrow(() => buildDiskArgs([colo('vdev=sda,target=/x', 'scsi0-hd0'), sdb], guest), 'its own place')
  t.end()
})

t.test('a COLO disk that QEMU would not replicate is refused, with the reason', t => {
  const ahci = { ...guest, hdtype: 'ahci' } as const
  const disk = colo('vdev=hda,target=/x')
  const cases: [disk: ResolvedDisk, options: DiskArgsOptions, reason: LibxlReason, message: RegExp][] = [
    [
      disk,
      ahci,
      'colo-place',
      /^disk hda: libxl knows no COLO on AHCI: write hdtype="ide", or name the disk sda to sdh$/,
    ],
    [disk, { ...guest, stubdom: true }, 'colo-guest', /stub domain/],
    [disk, { ...guest, domainType: 'pv' }, 'colo-guest', /HVM guests only, and this guest is pv$/],
    [disk, { ...guest, domainType: 'pvh' }, 'colo-guest', /HVM guests only/],
    [{ ...disk, readwrite: false }, guest, 'colo-read-only', /access=rw/],
    [colo('cdrom,vdev=hdc,target=/cd.iso'), guest, 'colo-cdrom', /^disk hdc: a CD drive/],
    [colo('cdrom,vdev=hdc'), guest, 'colo-cdrom', /CD drive/],
    [colo('vdev=51712,target=/x'), guest, 'colo-place', /its vdev is a number: name it hda to hdd, or sda to sd[gh]$/],
    [
      colo('vdev=xvde,target=/x'),
      guest,
      'colo-place',
      /Only 4 emulated IDE disks are supported: name it hda to hdd, or sda to sd[gh]$/,
    ],
    [
      colo('vdev=xvdg,target=/x'),
      ahci,
      'colo-place',
      /Only 4 emulated IDE disks are supported: name it sda to sd[gh]$/,
    ],
    [{ ...disk, format: 'empty' }, guest, 'colo-place', /Cannot support empty disk format/],
    [{ ...disk, coloPort: 0 }, guest, 'colo-missing-key', /^disk hda: COLO needs colo-port, which is not set$/],
    [{ ...disk, coloPort: 65536 }, guest, 'colo-port-range', /from 1 to 65535, not 65536$/],
    [{ ...disk, coloPort: -1 }, guest, 'colo-port-range', /colo-port/],
    [{ ...disk, backend: 'phy' }, guest, 'colo-backend', /needs the backend qdisk, and this is phy$/],
    [
      { ...disk, coloHost: undefined, hiddenDisk: '' },
      guest,
      'colo-missing-key',
      /needs colo-host, hidden-disk, which are not set$/,
    ],
  ]
  for (const [disk, options, reason, message] of cases) {
    for (const coloRestore of [false, true]) {
      t.throws(() => buildDiskArgs([disk], { ...options, coloRestore }), { rc: -6, reason, message }, String(message))
      t.throws(() => buildDiskArgs([disk], { ...options, coloRestore, dialect: '4.7' }), { name: 'LibxlError' })
    }
    t.doesNotThrow(() => buildDiskArgs([{ ...disk, coloEnable: false, readwrite: true }], options))
  }
  t.doesNotThrow(() => buildDiskArgs([colo('vdev=sda,target=/x')], ahci), 'SCSI beside AHCI')
  t.end()
})

t.test('a disk that is itself marked as restored is a secondary', t => {
  const disk = { ...colo('vdev=hda,target=/x'), coloRestoreEnable: true }
  t.match(buildDiskArgs([disk], guest).args[3], /driver=replication,mode=secondary/)
  t.end()
})

t.test('what QEMU will refuse is said, and passed on as libxl does', t => {
  const ahci = { ...guest, hdtype: 'ahci' } as const
  const cases: [specs: string[], options: DiskArgsOptions, warning: string | undefined][] = [
    [['vdev=hda', 'vdev=xvda'], guest, 'QEMU will refuse disk xvda: hda is already in place 0 of IDE'],
    [['vdev=hda1', 'vdev=hda2'], guest, 'QEMU will refuse disk hda2: hda1 is already in place 0 of IDE'],
    [['vdev=hdc', 'cdrom,vdev=xvdc'], guest, 'QEMU will refuse disk xvdc: hdc is already in place 2 of IDE'],
    [['vdev=sda', 'vdev=sda1'], guest, 'QEMU will refuse disk sda1: sda is already in place 0 of the SCSI bus'],
    [['vdev=hda', 'vdev=xvda'], ahci, 'QEMU will refuse disk xvda: hda is already in place 0 of AHCI'],
    [['vdev=sdi'], guest, 'QEMU will refuse disk sdi: the SCSI bus has the places 0 to 7 (sda to sdh), not 8'],
    [['vdev=sd'], guest, 'QEMU will refuse disk sd: the SCSI bus has the places 0 to 7 (sda to sdh), not -1'],
    [['cdrom,vdev=xvde'], guest, 'QEMU will refuse disk xvde: IDE has the places 0 to 3 (hda to hdd), not 4'],
    [['vdev=xvd'], ahci, 'QEMU will refuse disk xvd: AHCI has the places 0 to 5 (xvda to xvdf), not -1'],
    [['vdev=xvd', 'cdrom,vdev=hda'], guest, 'QEMU will refuse disk hda: xvd is already in place 0 of IDE'],
    [['vdev=xvd', 'vdev=xvda'], guest, 'QEMU will refuse disk xvda: xvd is already in place 0 of IDE'],
    [['vdev=xvda', 'vdev=xvd', 'cdrom,vdev=hdc'], guest, undefined],
    [['cdrom,vdev=xvd', 'vdev=hda'], guest, undefined],
    [['cdrom,vdev=hda', 'access=r,vdev=sda'], { ...guest, stubdom: true }, undefined],
    [
      ['vdev=xvd'],
      { ...guest, stubdom: true },
      'QEMU will refuse disk xvd: a stub domain has no device for a name without a letter',
    ],
    [
      ['cdrom,vdev=xvd', 'vdev=hda', 'vdev=hdb'],
      guest,
      'QEMU will refuse disk xvd: IDE has the places 0 to 3 (hda to hdd), not -1',
    ],
    [['vdev=hda', 'vdev=sda'], { ...guest, stubdom: true }, "QEMU will refuse disk sda: /dev/xvda is hda's already"],
    [['vdev=hda', 'cdrom,vdev=xvda'], ahci, undefined],
    [['vdev=sdh', 'vdev=hda'], guest, undefined],
  ]
  for (const [specs, options, warning] of cases) {
    const disks = specs.map(spec => resolve(`${spec},target=/x`))
    const expected = buildDiskArgs(disks, { ...options, libxlExact: true })
    t.strictSame(expected.warnings, [], specs.join(' '))
    t.strictSame(buildDiskArgs(disks, options), { ...expected, warnings: warning ? [warning] : [] }, specs.join(' '))
  }
  t.end()
})

t.test("whoever writes to a secondary's file refuses it to all that come after", t => {
  const reader = (vdev: string) => resolve(`cdrom,vdev=${vdev},target=/x`)
  const disks = [reader('hdd'), colo('vdev=hda,target=/x'), reader('hdc')]
  t.strictSame(buildDiskArgs(disks, { ...guest, coloRestore: true }).warnings, [
    "QEMU will refuse disk hda: /x is hdd's already",
    "QEMU will refuse disk hdc: /x is hda's already",
  ])
  t.end()
})

t.test('for Xen 4.7 it is said what the QEMUs of its time will refuse', t => {
  const old = { ...guest, dialect: '4.7' } as const
  const cases: [specs: string[], warning: string | undefined][] = [
    // CD drives come in their turn, and a disk without a letter takes what is free then
    [['cdrom,vdev=xvd', 'vdev=hda'], 'QEMU will refuse disk hda: xvd is already in place 0 of IDE'],
    [['vdev=hda', 'vdev=hdb', 'cdrom,vdev=xvd'], undefined],
    [['cdrom,vdev=hda1', 'vdev=xvd'], undefined],
    [['vdev=sd'], undefined],
    [['vdev=sd', 'vdev=sda'], 'QEMU will refuse disk sda: sd is already in place 0 of the SCSI bus'],
    [['vdev=sdh'], 'QEMU will refuse disk sdh: the SCSI bus has the places 0 to 6 (sda to sdg), not 7'],
    [['cdrom,vdev=xvdz'], 'QEMU will refuse disk xvdz: IDE has the places 0 to 3 (hda to hdd), not 25'],
    [
      ['vdev=xvdf'],
      'Only 4 emulated IDE disks are supported.\nDisk xvdf will be available via PV drivers but not as an emulated disk.',
    ],
  ]
  for (const [specs, warning] of cases) {
    const disks = specs.map((spec, n) => resolve(`${spec},target=/${n}`))
    t.strictSame(buildDiskArgs(disks, old).warnings, warning ? [warning] : [], specs.join(' '))
    t.strictSame(buildDiskArgs(disks, { ...old, libxlExact: true }).warnings, [])
  }
  const secondary = colo('vdev=hda,target=/x', 'ide0-hd0')
  const options = { ...guest, coloRestore: true }
  t.throws(() => buildDiskArgs([secondary], { ...options, dialect: '4.7' }), { message: /is the id of another drive/ })
  t.doesNotThrow(() => buildDiskArgs([secondary], options), 'today it has an id of libxl’s')
  const qed = resolve('format=qed,vdev=hda,target=/x.qed')
  t.match(buildDiskArgs([qed], old), { args: [], warnings: [/^Unable to determine disk image format: hda\n/] })
  t.end()
})

t.test("a colo-export is not the name of libxl's way to the other host", t => {
  const message = /colo-export "colo_node768" is libxl's name for the way/
  t.throws(() => buildDiskArgs([colo('vdev=hda,target=/x', 'colo_node768')], guest), { rc: -6, message })
  t.doesNotThrow(() => buildDiskArgs([colo('vdev=hda,target=/x', 'colo_node832')], guest))
  t.end()
})

t.test('the warnings are to be had as data', t => {
  const disks = ['vdev=xvde', 'vdev=hda', 'vdev=xvda', 'vdev=sdi'].map((spec, n) => resolve(`${spec},target=/${n}`))
  for (const options of [guest, { ...guest, libxlExact: true }, { ...guest, dialect: '4.7' }] as const) {
    const warnings = diskWarnings(disks, options)
    t.strictSame(
      warnings.map(({ message }) => message),
      buildDiskArgs(disks, options).warnings,
    )
    t.match(warnings[0], { vdev: 'xvde', code: 'not-emulated' })
    t.match(warnings.slice(1), 'libxlExact' in options ? [] : [{ vdev: 'xvda', code: 'qemu-refuses' }, { vdev: 'sdi' }])
  }
  t.strictSame(diskWarnings(disks, { domainType: 'pv' }), [])
  t.end()
})

t.test('arguments that are none are named', t => {
  const disk = resolve('vdev=hda,target=/x')
  // biome-ignore lint/suspicious/noExplicitAny: as from JavaScript
  const cases: [disks: any, options: any, message: RegExp][] = [
    [disk, guest, /^disks must be an array of resolved disks, not an object$/],
    [[null], guest, /^disks\[0\] must be a record: .*, not null$/],
    [[disk, {}], guest, /^disks\[1\].backendDomid must be set/],
    [
      [parseDisk('vdev=hda,target=/x')],
      guest,
      /^disks\[0\].backend \(resolveDisk chooses it\) must be 'phy', .*, not "unknown"$/,
    ],
    [[{ ...disk, pdevPath: null }], guest, /^disks\[0\].pdevPath must be a string or undefined, not null$/],
    [[disk], undefined, /^options must be an object with domainType at least, not undefined$/],
    [[disk], { ...guest, coloRestore: 'primary' }, /^coloRestore must be true or false, not "primary"$/],
    [[disk], { ...guest, stubdom: 'no' }, /^stubdom must be/],
    [[disk], { ...guest, libxlExact: 'false' }, /^libxlExact must be/],
    [[disk], { ...guest, domid: '5' }, /^domid must be a number/],
    [[disk], { ...guest, dialect: 4.7 }, /^dialect must be '4.17', 'master' or '4.7', not 4\.7$/],
    [
      [resolve('script=x,vdev=hda,target=y')],
      { ...guest, physicalDevicePath: () => 7 },
      /^the answer of physicalDevicePath must be a path or undefined, not 7$/,
    ],
  ]
  for (const [disks, options, message] of cases)
    t.throws(() => buildDiskArgs(disks, options), { name: 'TypeError', message }, String(message))
  t.throws(() => buildDiskArgs([disk], { ...guest, domid: -1 }), RangeError)
  const scripted = resolve('script=x,vdev=hda,target=y')
  // biome-ignore lint/suspicious/noExplicitAny: what readers of a store give
  t.match(buildDiskArgs([scripted], { ...guest, physicalDevicePath: () => null as any }), { args: [] })
  t.end()
})

t.test('a text that cannot reach QEMU unchanged is refused, and no name is a protocol or a descriptor', t => {
  const disk = resolve('vdev=hda,target=/x')
  for (const pdevPath of ['/a\0b', '/a\ud800', '/a\udcff']) {
    t.throws(() => buildDiskArgs([{ ...disk, pdevPath }], guest), { rc: -6, message: /NUL|not UTF-8/ })
    t.doesNotThrow(() => buildDiskArgs([{ ...disk, pdevPath }], { ...guest, libxlExact: true }))
  }
  const names = {
    'nbd:127.0.0.1:1': './nbd:127.0.0.1:1',
    'json:{"a":1,"b":2}': './json:{"a":1,,"b":2}',
    'a/b:c': 'a/b:c',
    '/a:b': '/a:b',
    ':': './:',
    '/dev/fdset/3': '/dev/./fdset/3',
    '/dev/fdset': '/dev/fdset',
  }
  for (const [pdevPath, file] of Object.entries(names)) {
    const [, drive] = buildDiskArgs([{ ...disk, pdevPath }], guest).args
    t.equal(drive, `file=${file},if=ide,index=0,media=disk,format=raw,cache=writeback`)
  }
  const tap = resolve('backendtype=tap,format=vhd,vdev=hda,target=/x')
  const [, drive] = buildDiskArgs([tap], { ...guest, physicalDevicePath: '/run/a b&c,d%20:e' }).args
  t.match(drive, 'file=nbd+unix:///?socket=/run/a%20b%26c,,d%2520:e,if=ide')
  t.end()
})

t.test('for Xen 4.7 a name is one that the QEMUs of its time read whole', t => {
  const disk = resolve('vdev=hda,target=/x')
  const old = { ...guest, dialect: '4.7' } as const
  const longest = `/${','.repeat(100)}${'ü'.repeat(461)}`
  t.match(buildDiskArgs([{ ...disk, pdevPath: longest }], old).args[1], longest.replaceAll(',', ',,'))
  for (const [pdevPath, message] of [
    [`${longest}x`, /after 1,023 bytes/],
    ['/a,id=scsi0-hd1', /would take what follows ",id="/],
  ] as const) {
    t.throws(() => buildDiskArgs([{ ...disk, pdevPath }], old), { rc: -6, vdev: 'hda', message })
    t.doesNotThrow(() => buildDiskArgs([{ ...disk, pdevPath }], { ...old, libxlExact: true }))
    t.doesNotThrow(() => buildDiskArgs([{ ...disk, pdevPath }], guest))
  }
  t.end()
})

t.test('an empty path is told of', t => {
  const disk = { ...resolve('vdev=hda,target=/x'), pdevPath: '' }
  t.strictSame(buildDiskArgs([disk], guest).warnings, ['QEMU will refuse disk hda: it has no path to open'])
  t.strictSame(buildDiskArgs([disk], { ...guest, libxlExact: true }).warnings, [])
  t.throws(() => buildBlockdevArgs([disk], guest), { message: 'disk hda: it has no path to open' })
  t.end()
})

t.test('a format that libxl does not have is refused', t => {
  for (const format of ['constructor', '__proto__', 'raw,readonly=on', 'RAW', '', 7, undefined, Object.create(null)]) {
    const disk = { ...resolve('vdev=hda,target=/x'), format } as unknown as ResolvedDisk
    t.throws(() => buildDiskArgs([disk], guest), { name: 'TypeError', message: /^disks\[0\]\.format must be / })
  }
  const unknown = { ...resolve('backendtype=qdisk,vdev=hda,target=/x'), format: 'unknown' } as const
  t.match(buildDiskArgs([unknown], guest), { args: [], warnings: [/^Unable to determine disk image format: hda\n/] })
  t.end()
})

t.test('an unknown dialect is named, and Xen 4.7 has no stub domains with QEMU', t => {
  const disk = resolve('vdev=hda,target=/x')
  // @ts-expect-error as from JavaScript
  t.throws(() => buildDiskArgs([disk], { ...guest, dialect: '4.6' }), { name: 'TypeError', message: /'4\.17'.*'4\.7'/ })
  t.throws(() => buildDiskArgs([disk], { ...guest, dialect: '4.7', stubdom: true }), { name: 'LibxlError', rc: -6 })
  t.strictSame(buildDiskArgs([disk], { ...guest, dialect: 'master' }), buildDiskArgs([disk], guest))
  t.end()
})

t.test('each scripted disk has its own device', t => {
  const disks = ['hda', 'hdb'].map(vdev => resolve(`script=x,vdev=${vdev},target=y`))
  const { args, warnings } = buildDiskArgs(disks, {
    ...guest,
    physicalDevicePath: ({ vdev }) => (vdev === 'hda' ? '/dev/one' : undefined),
  })
  t.match(args[1], /^file=\/dev\/one,/)
  t.match(warnings, [/^No way to get local access disk to image: hdb\n/])
  t.end()
})

t.test('two disks with one number are refused as libxl refuses the second', t => {
  const disks = ['xvdc', 'd2p0'].map(vdev => resolve(`vdev=${vdev},target=/x`))
  t.throws(() => buildDiskArgs(disks, guest), { rc: -17, code: 'ERROR_DEVICE_EXISTS', message: /d2p0 is xvdc/ })
  t.end()
})
