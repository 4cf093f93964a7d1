import t from 'tap'
import { addDisk, diskFromNodes, diskToNodes, parseDisk, resolveDisk, resolveDiskOnHost } from 'xenlight'
import { buildDiskArgs } from 'xenlight/dm-args'
import { memoryStore } from 'xenlight/xenstore'

const disk = parseDisk('vdev=xvda,target=/x')
const guest = { domid: 32751, domainType: 'hvm', target: 'file', domidOf: () => undefined } as const
const resolved = resolveDisk(disk, guest)

/** Calls as a JavaScript program can make them. */
const calls: Record<string, (context: never) => unknown> = {
  resolveDisk: context => resolveDisk(disk, context),
  diskToNodes: context => diskToNodes(resolved, context),
  diskFromNodes: context => diskFromNodes(diskToNodes(resolved, guest), context),
  buildDiskArgs: context => buildDiskArgs([resolved], context),
}

const wrong: [functions: string[], field: object, type: typeof TypeError, message: string][] = [
  [['resolveDisk', 'diskToNodes', 'diskFromNodes'], { domid: undefined }, TypeError, 'a number, not undefined'],
  [['resolveDisk', 'diskToNodes', 'diskFromNodes'], { domid: '5' }, TypeError, 'a number, not "5"'],
  ...[-1, 1.5, 32752, Number.NaN].map((domid): (typeof wrong)[number] => [
    ['resolveDisk', 'diskToNodes', 'diskFromNodes'],
    { domid },
    RangeError,
    `an integer from 0 to 32751, not ${domid}`,
  ]),
  [
    ['resolveDisk', 'diskToNodes', 'buildDiskArgs'],
    { domainType: 'HVM' },
    TypeError,
    `'pv', 'pvh' or 'hvm', not "HVM"`,
  ],
  [['buildDiskArgs'], { domainType: null }, TypeError, `'pv', 'pvh' or 'hvm', not null`],
  [['buildDiskArgs'], { hdtype: 'scsi' }, TypeError, `'ide' or 'ahci', not "scsi"`],
  [['resolveDisk'], { target: 'link' }, TypeError, `'block', 'file', 'char', 'dir' or 'missing', not "link"`],
]

t.test('a wrong argument is named', async t => {
  for (const [functions, field, type, message] of wrong) {
    const name = Object.keys(field)[0]
    const context = { ...guest, ...field } as never
    const error = { name: type.name, message: `${name} must be ${message}` }
    for (const call of functions) t.throws(() => calls[call]!(context), error, `${call} ${JSON.stringify(field)}`)
    if (functions.includes('resolveDisk') && name !== 'target') await t.rejects(resolveDiskOnHost(disk, context), error)
  }
  for (const call of Object.values(calls)) t.doesNotThrow(() => call(guest as never))
})

t.test('a spec or a few members in the place of a record', async t => {
  const store = memoryStore()
  t.teardown(() => store.close())
  const cases: [disk: unknown, message: RegExp][] = [
    ['vdev=xvda,target=/x', /^disk must be a record: parseDisk makes .*, not "vdev=xvda,target=\/x"$/],
    [null, /^disk must be a record: .*, not null$/],
    [
      { vdev: 'xvda', pdevPath: '/x' },
      /^disk.backendDomid must be set: .*fromLibxlJson of some members, not undefined$/,
    ],
    [{ ...disk, specification: undefined }, /^disk.specification must be set/],
    [{ ...disk, readwrite: 1 }, /^disk.readwrite must be true or false, not 1$/],
  ]
  for (const [given, message] of cases) {
    t.throws(() => resolveDisk(given as never, guest), { name: 'TypeError', message })
    await t.rejects(addDisk(store, given as never, { domid: 1 }), { name: 'TypeError', message })
  }
})

t.test('domidOf finds nothing with null, too, and gives a number', t => {
  const named = { ...disk, backendDomname: 'storage' }
  const asked = (answer: unknown) => () => resolveDisk(named, { ...guest, domidOf: () => answer as undefined })
  t.throws(asked(null), { rc: -6, message: 'backend domain "storage" not found' })
  t.throws(asked('7'), { name: 'TypeError', message: 'the answer of domidOf must be a number, not "7"' })
  t.equal(asked(7)().backendDomid, 7)
  t.end()
})
