import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildDiskArgs, type DiskArgsOptions } from 'xenlight/dm-args'
import { goldenRows } from '../support/golden.js'
import { projectRoot } from '../support/project-root.js'

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

interface Row {
  type: DiskArgsOptions['domainType']
  hdtype: 'ide' | 'ahci'
  colo: 'none' | 'primary' | 'secondary'
  stubdom: boolean
  disks: { spec: string; target: 'block' | 'file' | 'missing' }[]
  rc: number
  argv: string[]
  warnings: string[]
  /** Of a refusal. */
  log?: string[]
  physicalDevicePath?: string
}

/** The first line that libxl logged; on a second device we also say which two disks they are. */
function reasonOf({ log }: Row): RegExp {
  const reason = log![0]!.replace(/^error: \w+: (?:Domain DOMID:)?/, '')
  return new RegExp(`^${reason}${reason.startsWith('device already exists') ? ': \\w+ is (?:\\w+|given twice)' : ''}$`)
}

t.test('buildDiskArgs with libxlExact gives the arguments and warnings of libxl, or refuses as it does', t => {
  for (const row of goldenRows<Row>('argv.jsonl.gz')) {
    const name = `${row.type} ${row.hdtype} ${row.colo} ${row.disks.map(({ spec }) => spec).join(' | ')}`
    const { hdtype, stubdom, physicalDevicePath } = row
    const coloRestore = row.colo === 'secondary'
    const options = {
      domid: 11,
      domainType: row.type,
      hdtype,
      coloRestore,
      stubdom,
      physicalDevicePath,
      libxlExact: true,
    }
    const build = () =>
      buildDiskArgs(
        row.disks.map(({ spec, target }) => resolve(spec, target, row.type)),
        options,
      )
    if (row.rc === 0) t.strictSame(build(), { args: row.argv, warnings: row.warnings }, name)
    else t.throws(build, { name: 'LibxlError', message: reasonOf(row) }, name)
  }
  t.end()
})

/** disk-argv.txt: blocks of a role, disks, arguments. */
const readable = readFileSync(join(projectRoot, 'golden/disk-argv.txt'), 'utf8')
  .split('\n= ')
  .slice(1)
  .map(block => {
    const [role, ...lines] = block.trimEnd().split('\n')
    const specs = lines.filter(line => line.startsWith('disk: ')).map(line => line.slice(6))
    return { role, specs, args: lines.slice(specs.length) }
  })

const guest = { domid: 11, domainType: 'hvm' } as const

t.test('the default mode gives the same strings where libxl is right', t => {
  t.equal(readable.length, 11)
  for (const { role, specs, args } of readable) {
    const disks = specs.map(spec => resolve(spec))
    const options = { ...guest, coloRestore: role === 'secondary' }
    t.strictSame(buildDiskArgs(disks, { ...options, libxlExact: true }), { args, warnings: [] }, specs.join(' | '))
    if (specs.length === 1) t.strictSame(buildDiskArgs(disks, options).args, args)
  }
  t.end()
})

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
  t.doesNotThrow(() => buildDiskArgs([{ ...disk, activeDisk: undefined, hiddenDisk: undefined }], guest))
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

t.test('a COLO disk that QEMU never sees needs no names', t => {
  const unnamed = (rest: string): ResolvedDisk => resolve(`colo,${rest}`)
  const ahci = { ...guest, hdtype: 'ahci' } as const
  const exact = (disk: ResolvedDisk, options: DiskArgsOptions) =>
    buildDiskArgs([disk], { ...options, libxlExact: true })
  for (const vdev of ['xvde', 'd4p0', '51712']) {
    const disk = unnamed(`vdev=${vdev},target=/x`)
    const result = buildDiskArgs([disk], guest)
    t.strictSame([result.args, result.warnings.length], [[], 1], vdev)
    t.strictSame(result, exact(disk, guest))
  }
  const disk = unnamed('vdev=hda,target=/x')
  t.strictSame(buildDiskArgs([disk], ahci).args, exact(disk, ahci).args)
  t.match(buildDiskArgs([disk], ahci).warnings, [/^COLO is not supported on AHCI/])
  t.throws(() => buildDiskArgs([disk], guest), { rc: -6, message: /needs colo-export/ })
  const cdrom = unnamed('cdrom,vdev=hdc,target=/cd.iso')
  t.strictSame(buildDiskArgs([cdrom], guest), exact(cdrom, guest))
  t.end()
})

t.test('a disk that is itself marked as restored is a secondary', t => {
  const disk = { ...colo('vdev=hda,target=/x'), coloRestoreEnable: true }
  t.match(buildDiskArgs([disk], guest).args[3], /driver=replication,mode=secondary/)
  t.end()
})

t.test('AHCI knows no COLO, which is said', t => {
  const ahci = { ...guest, hdtype: 'ahci' } as const
  const { args, warnings } = buildDiskArgs([colo('vdev=hda,target=/x')], ahci)
  t.match(args[3], /^file=\/x,if=none,id=ahcidisk-0/)
  t.strictSame(warnings, ['COLO is not supported on AHCI: disk hda will not be replicated'])
  t.strictSame(buildDiskArgs([resolve('vdev=hda,target=/x')], ahci).warnings, [])
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
