import { closeSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { DiskArgsOptions } from 'xenlight/dm-args'
import { startQemu } from '../real/qemu.js'
import { projectRoot } from '../support/project-root.js'
import { realPart } from '../support/real-part.js'
import {
  blockdevs,
  coloDisk,
  disk,
  drives,
  exact,
  exportDisk,
  forms,
  guestWrites,
  handOver,
  isWritten,
  type Lab,
  openLab,
  refuses,
} from './departures.js'
import { serveNbd } from './hostile/socket.js'

/** What libxl's arguments do to a real QEMU, and ours; by what docs/departures.md says that libxl does. */
const departures: Record<string, (t: Test, lab: Lab) => Promise<void>> = {
  async 'pastes the names of files into options: a comma ends a name and begins an option'(t, lab) {
    const image = lab.file('g.img')
    const victim = lab.file('victim')
    const named = `${image},children.1.driver=raw,children.1.file.filename=${victim}`
    const disks = [coloDisk(lab, 'hda', { pdevPath: named })]
    await lab.qemu(exact(disks).args, qemu => guestWrites(qemu, 'e-hda'))
    t.ok(isWritten(victim), "the guest writes the host's file")

    lab.file('victim')
    const own = lab.file(named)
    await lab.qemu(drives(disks).args, qemu => guestWrites(qemu, 'e-hda'))
    t.strictSame([isWritten(victim), isWritten(own)], [false, true])
    lab.file(named)
    await lab.qemu(blockdevs(disks).args, qemu => guestWrites(qemu, '-d ide-768'))
    t.strictSame([isWritten(victim), isWritten(own)], [false, true])

    const plain = [disk(`vdev=hda,target=${image},file=${victim}`)]
    lab.file(`${image},file=${victim}`)
    for (const dialect of ['4.17', '4.7'] as const) {
      const files = (args: string[]) => lab.qemu(args, async qemu => qemu.openFiles(lab.directory))
      t.strictSame(await files(exact(plain, { dialect }).args), [victim], `${dialect}: another file`)
      t.strictSame(await files(drives(plain, { dialect }).args), [`${image},file=${victim}`])
    }
  },

  async 'leaves a protocol (`nbd:`, `json:`, `fat:`, …) before the first slash of a name'(t, lab) {
    lab.file('victim')
    await using server = await serveNbd(join(lab.directory, 's'), 1_048_576)
    const names: [name: string, opened: RegExp][] = [
      ['nbd:unix:s', /^nbd\+unix:\/\/\?socket=s$/],
      ['json:{"file":{"filename":"victim"}}', /^victim$/],
      [`fat:${lab.directory}`, /"driver": "vvfat"/],
      ['file:victim', /^victim$/],
    ]
    for (const [name, opened] of names) {
      const disks = [disk(`vdev=hdc,cdrom,target=${name}`)]
      const look = (args: string[]) =>
        lab.qemu(args, async qemu => {
          const [{ inserted }] = await qemu.qmp<[{ inserted: { file: string } }]>('query-block')
          return { name: inserted.file, files: qemu.openFiles(lab.directory) }
        })
      t.match((await look(exact(disks).args)).name, opened, `${name} is no file of this name`)
      const literal = name.startsWith('fat:') ? `${name}.img` : name
      const own = lab.file(literal)
      for (const [form, build] of Object.entries(forms)) {
        const { args } = build([disk(`vdev=hdc,cdrom,target=${literal}`)])
        t.strictSame((await look(args)).files, [own], `${form}: ${literal}`)
      }
    }
    t.strictSame(server.asked, [''], 'only for libxl')
  },

  async 'takes a disk over NBD that QEMU does not emulate'(t, lab) {
    const overNbd = (vdev: string, change: Partial<DiskArgsOptions> & { colo?: boolean } = {}) => {
      const { colo, ...options } = change
      const pdevPath = 'nbd+unix:///e?socket=/s'
      return { disks: [colo ? coloDisk(lab, vdev, { pdevPath }) : disk(`vdev=${vdev},target=${pdevPath}`)], options }
    }
    const emulated = overNbd('hda')
    t.match(drives(emulated.disks).args[1], 'file=nbd+unix:///e?socket=/s,')
    for (const [{ disks, options }, reason] of [
      [overNbd('xvda', { domainType: 'pv' }), /opens files only for a guest of type pv/],
      [overNbd('xvda', { domainType: 'pvh' }), /opens files only for a guest of type pvh/],
      [overNbd('xvde'), /only for a disk that it emulates/],
      [overNbd('51712'), /its vdev is a number/],
      [overNbd('hda', { stubdom: true }), /stub domain/],
      [overNbd('hda', { colo: true }), /COLO replicates images/],
    ] as const) {
      t.notMatch(exact(disks, options).args.join(), /file=nbd/, 'libxl leaves it out, or opens something else')
      refuses(t, disks, options, reason)
    }
  },

  async 'passes the name `/dev/fdset/N` on'(t, lab) {
    const victim = lab.file('victim')
    const disks = [disk('vdev=hda,target=/dev/fdset/0')]
    const opens = async (args: string[]) => {
      const handed = handOver(victim)
      try {
        const { qemu, refusal } = await startQemu([...handed.args, ...args], { inherited: handed.inherited })
        await using _ = qemu
        if (qemu !== undefined) await guestWrites(qemu, 'ide0-hd0')
        return refusal
      } finally {
        for (const descriptor of handed.inherited) closeSync(descriptor)
      }
    }
    t.equal(await opens(exact(disks).args), undefined)
    t.ok(isWritten(victim), 'QEMU opens what its toolstack has handed it')
    for (const build of Object.values(forms))
      t.match(await opens(build(disks).args), /Could not open '\/dev\/\.\/fdset\/0': No such file/)
  },

  async 'passes any bytes on'(t, lab) {
    const nul = [disk('vdev=hda,target=/', { pdevPath: `${lab.file('g.img')}\0.img` })]
    await t.rejects(startQemu(exact(nul).args), { code: 'ERR_INVALID_ARG_VALUE' }, 'no argument holds a NUL')
    refuses(t, nul, {}, /NUL/)
    const other = lab.file('g\ufffd.img')
    const bytes = [disk('vdev=hda,target=/', { pdevPath: join(lab.directory, 'g\udcff.img') })]
    t.strictSame(
      await lab.qemu(exact(bytes).args, async qemu => qemu.openFiles(lab.directory)),
      [other],
      'Node passes another name',
    )
    refuses(t, bytes, {}, /not UTF-8/)
    const noncharacter = disk(`vdev=hda,target=${lab.file('g\uffff.img')}`)
    t.doesNotThrow(() => drives([noncharacter]))
    const json = JSON.stringify({ driver: 'file', 'node-name': 'x', filename: 'g\uffff.img' })
    t.match(await lab.refusal(['-blockdev', json]), /JSON parse error/)
    t.throws(() => blockdevs([noncharacter]), { rc: -6, message: /U\+FFFF/ })
  },

  async "pastes the name of a tap's socket into a URL"(t, lab) {
    const tap = disk('vdev=hda,target=x', { backend: 'tap', script: 'block-tap' })
    for (const [name, failure] of [
      ['s&x=y', /No valid URL specified/],
      ['s%41', /Failed to connect to '.*\/sA'/],
      ['s#x', /Failed to connect to '.*\/s'/],
    ] as const) {
      const physicalDevicePath = join(lab.directory, name)
      t.match(await lab.refusal(exact([tap], { physicalDevicePath }).args), failure, name)
      for (const build of Object.values(forms)) {
        await using server = await serveNbd(physicalDevicePath, 1_048_576)
        await lab.qemu(build([tap], { physicalDevicePath }).args, async () => {})
        t.strictSame(server.asked, [''])
      }
    }
  },

  async 'takes a COLO disk that lacks a key, and writes `(null)` or 0'(t, lab) {
    const secondary = { coloRestore: true }
    const without = { hda: { activeDisk: undefined }, hdb: { hiddenDisk: undefined } }
    for (const [vdev, change] of Object.entries(without)) {
      const { args } = exact([coloDisk(lab, vdev, change)], secondary)
      t.match(await lab.refusal(args), /Could not open '\(null\)': No such file or directory/)
    }
    const { args } = exact([coloDisk(lab, 'hda', { coloExport: undefined })])
    t.match(await lab.refusal(args), /Parameter 'id' expects an identifier/)
    const primary = coloDisk(lab, 'hda', { coloHost: undefined, coloPort: 0 })
    await lab.qemu(exact([primary]).args, async qemu => {
      const replication = 'driver=replication,mode=primary,file.driver=nbd,file.export=e-hda,node-name=n'
      const answer = await qemu.monitor(`drive_add -n buddy ${replication},file.host=(null),file.port=0`)
      t.match(answer, /address resolution failed|Failed to connect/)
    })
    for (const [key, change] of [
      ['colo-host', { coloHost: undefined }],
      ['colo-port', { coloPort: 0 }],
      ['colo-export', { coloExport: undefined }],
      ['active-disk', { activeDisk: undefined }],
      ['hidden-disk', { hiddenDisk: '' }],
    ] as const)
      for (const coloRestore of [false, true])
        refuses(
          t,
          [coloDisk(lab, 'hda', change)],
          { coloRestore },
          new RegExp(`hda: COLO needs ${key}, which is not set`),
        )
  },

  async 'gives every secondary COLO disk the id `top-colo`'(t, lab) {
    const disks = [coloDisk(lab, 'hda'), coloDisk(lab, 'sda'), coloDisk(lab, 'hdb')]
    const options = { coloRestore: true }
    t.match(await lab.refusal(exact(disks, options).args), /Duplicate ID 'top-colo' for drive/)
    for (const build of Object.values(forms))
      await lab.qemu(build(disks, options).args, async qemu => {
        t.equal(qemu.openFiles(lab.directory).length, 9)
        const nodes = await qemu.qmp<{ drv: string }[]>('query-named-block-nodes')
        t.equal(nodes.filter(({ drv }) => drv === 'replication').length, 3)
      })
  },

  async "takes any `colo-export`, even another drive's id"(t, lab) {
    for (const coloExport of ['0disk', 'a/b', 'a b', 'é']) {
      const disks = [coloDisk(lab, 'hda', { coloExport })]
      t.match(await lab.refusal(exact(disks).args), /Parameter 'id' expects an identifier/, coloExport)
      refuses(t, disks, {}, /QEMU takes no id/)
    }
    const option = [coloDisk(lab, 'hda', { coloExport: 'x,throttling.iops-total=1' })]
    await lab.qemu(exact(option).args, async qemu =>
      t.match(await qemu.qmp('query-block'), [{ device: 'x', inserted: { iops: 1 } }], 'it begins an option'),
    )
    refuses(t, option, {}, /QEMU takes no id/)
    const taken = [coloDisk(lab, 'hda', { coloExport: 'scsi0-hd0' }), disk(`vdev=sda,target=${lab.file('sda')}`)]
    t.match(await lab.refusal(exact(taken).args), /Duplicate ID 'scsi0-hd0' for drive/)
    refuses(t, taken, {}, /is the id of another drive/)
    const twice = ['hda', 'hdb'].map(vdev => coloDisk(lab, vdev, { coloExport: 'e' }))
    t.match(await lab.refusal(exact(twice).args), /Duplicate ID 'e' for drive/)
    refuses(t, twice, {}, /is the id of another drive/)
  },

  async 'takes a read-only COLO disk on SCSI'(t, lab) {
    const disks = [coloDisk(lab, 'sda', { readwrite: false })]
    const options = { coloRestore: true }
    await lab.qemu(exact(disks, options).args, async qemu => {
      await exportDisk(qemu, lab, 'e-sda')
      await t.rejects(qemu.qmp('xen-set-replication', { enable: true, primary: false }), { code: 'ECONNRESET' })
      t.match(qemu.printed(), /bdrv_make_empty: Assertion .* failed/, 'QEMU aborts')
    })
    refuses(t, disks, options, /a read-only disk cannot be replicated, QEMU aborts/)
  },

  async 'writes a COLO disk on AHCI as a plain one'(t, lab) {
    const disks = [coloDisk(lab, 'hda')]
    await isNotReplicated(t, lab, exact(disks, { hdtype: 'ahci' }).args, 'e-hda')
    refuses(t, disks, { hdtype: 'ahci' }, /no COLO on AHCI/)
  },

  async 'writes a COLO CD drive as a plain one'(t, lab) {
    const disks = [coloDisk(lab, 'hdc', { isCdrom: true, readwrite: false })]
    await isNotReplicated(t, lab, exact(disks).args, 'e-hdc')
    refuses(t, disks, {}, /a CD drive cannot be replicated/)
  },

  async 'leaves out a COLO disk whose vdev is a number, or that QEMU does not emulate'(t, lab) {
    for (const [vdev, reason] of [
      ['51712', /its vdev is a number: name it hda to hdd/],
      ['xvde', /replicates only disks that it emulates/],
    ] as const) {
      const disks = [coloDisk(lab, vdev)]
      await isNotReplicated(t, lab, exact(disks).args, `e-${vdev}`)
      refuses(t, disks, {}, reason)
    }
  },

  async 'takes a COLO disk for a QEMU in a stub domain'(t, lab) {
    const disks = [coloDisk(lab, 'hda')]
    const options = { stubdom: true }
    const { args } = exact(disks, options)
    t.match(await lab.refusal(args), /The 'host_device' block driver requires a file name/)
    refuses(t, disks, options, /stub domain cannot replicate/)
  },

  async 'takes a COLO disk of a PV or PVH guest'(t, lab) {
    const disks = [coloDisk(lab, 'xvda')]
    for (const domainType of ['pv', 'pvh'] as const) {
      await isNotReplicated(t, lab, exact(disks, { domainType }).args, 'e-xvda')
      refuses(t, disks, { domainType }, new RegExp(`HVM guests only, and this guest is ${domainType}$`))
    }
  },

  async 'takes COLO disks that have different addresses'(t, lab) {
    const disks = [coloDisk(lab, 'hda'), coloDisk(lab, 'hdb', { coloPort: 9001 })]
    await lab.qemu(exact([disks[0]!], { coloRestore: true }).args, async qemu => {
      await exportDisk(qemu, lab, 'e-hda')
      const addr = { type: 'unix', data: { path: join(lab.directory, 'other.sock') } }
      await t.rejects(qemu.qmp('nbd-server-start', { addr }), { message: /NBD server already running/ })
    })
    for (const change of [{ coloPort: 9001 }, { coloHost: '127.0.0.2' }]) {
      const others = [disks[0]!, { ...disks[1]!, coloPort: 9000, ...change }]
      t.doesNotThrow(() => exact(others, { coloRestore: true }))
      refuses(t, others, { coloRestore: true }, /^disk hdb: all COLO disks of a guest have one colo-host and colo-port/)
    }
  },

  async 'gives two disks one place, or one that QEMU does not have'(t, lab) {
    for (const [specs, failure] of [
      [['vdev=hda', 'vdev=xvda'], /drive with bus=0, unit=0 \(index=0\) exists/],
      [['vdev=hda', 'vdev=xvda,cdrom'], /IDE unit 0 is in use/],
      [['vdev=sdi'], /bad scsi device id: 8/],
      [['vdev=xvde,cdrom'], /Bus 'ide\.2' not found/],
    ] as const) {
      const disks = specs.map((spec, index) => disk(`${spec},target=${lab.file(`${index}.img`)}`))
      const theirs = exact(disks)
      t.match(await lab.refusal(theirs.args), failure, specs.join(' '))
      const { args, warnings } = drives(disks)
      t.strictSame(args, theirs.args, 'the same arguments')
      t.match(warnings, [/^QEMU will refuse disk /])
      t.throws(() => blockdevs(disks), { name: 'LibxlError', message: warnings[0]!.replace('QEMU will refuse ', '') })
    }
  },

  async 'in 4.7, leaves a read-only disk on SCSI writable'(t, lab) {
    const disks = [disk(`vdev=sda,access=ro,target=${lab.file('sda')}`)]
    // today's machines have another SCSI controller
    const isReadOnly = (args: string[]) =>
      lab.qemu(
        args.map(arg => arg.replace('if=scsi,bus=0,unit=0', 'if=none,id=x')),
        async qemu => (await qemu.qmp<[{ inserted: { ro: boolean } }]>('query-block'))[0].inserted.ro,
      )
    const options = { dialect: '4.7' } as const
    t.strictSame(
      [await isReadOnly(exact(disks, options).args), await isReadOnly(drives(disks, options).args)],
      [false, true],
    )
  },

  // of QEMUs that old there is none to start
  async 'in 4.7, passes a name of more than 1,023 bytes, or with `,id=`'(t) {
    const options = { domainType: 'hvm', dialect: '4.7' } as const
    for (const [name, message] of [
      [`/${'x'.repeat(200)}`.repeat(6), /cut a name after 1,023 bytes/],
      ['/g.img,id=x', /would take what follows ",id="/],
    ] as const) {
      const disks = [disk('vdev=hda,target=/', { pdevPath: name })]
      t.match(exact(disks, options).args[1], `file=${name},if=ide`)
      t.throws(() => drives(disks, options), { name: 'LibxlError', message })
      t.doesNotThrow(() => drives(disks), 'today it is a name')
    }
  },

  async 'in 4.7, says nothing of a fifth disk'(t, lab) {
    const disks = [disk(`vdev=xvde,target=${lab.file('xvde')}`)]
    const options = { dialect: '4.7' } as const
    const { args, warnings } = exact(disks, options)
    t.strictSame([args, warnings], [[], []])
    t.strictSame(await lab.qemu(args, qemu => qemu.qmp('query-block')), [])
    t.match(drives(disks, options), { args: [], warnings: [/^Only 4 emulated IDE disks are supported/] })
  },
}

/** QEMU takes the arguments, and then knows nothing that could be replicated. */
async function isNotReplicated(t: Test, lab: Lab, args: string[], exported: string): Promise<void> {
  const unknown = { message: `Cannot find device='${exported}' nor node-name='${exported}'` }
  await lab.qemu(args, qemu => t.rejects(exportDisk(qemu, lab, exported), unknown, 'the guest runs unprotected'))
}

await t.test('docs/departures.md has these, and no other of the arguments', t => {
  const rows = readFileSync(join(projectRoot, 'docs/departures.md'), 'utf8')
    .split('\n')
    .flatMap(line => /^\| `build(?:Disk|Blockdev)Args`[^|]*\| ([^|]*) \|/.exec(line)?.[1] ?? [])
  t.strictSame(rows, Object.keys(departures))
  t.end()
})

for (const [does, show] of Object.entries(departures))
  await t.test(`libxl ${does}`, async t => {
    using lab = await realPart(t, openLab)
    if (lab !== undefined) await show(t, lab)
  })
