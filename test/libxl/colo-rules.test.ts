import t from 'tap'
import { LibxlError, parseDisk, type ResolvedDisk, resolveDisk, safeParseDisk } from 'xenlight'
import { buildDiskArgs, type DiskArgsOptions } from 'xenlight/dm-args'
import { coloProblems } from '#xenlight/libxl/colo-problems.js'
import { brokenRules, firstBrokenRule } from '#xenlight/libxl/colo-rules.js'

const keys = {
  'colo-host': 'h',
  'colo-port': '9',
  'colo-export': 'e',
  'active-disk': '/a',
  'hidden-disk': '/h',
}

/** A spec with `colo` and its keys, some of them others or (null) left out. */
function colo(rest: string, change: { [Key in keyof typeof keys]?: string | null } = {}): string {
  const all = Object.entries({ ...keys, ...change }).filter(([, value]) => value !== null)
  return `colo,${all.map(([key, value]) => `${key}=${value}`).join(',')},${rest},target=/x`
}

const resolve = (spec: string): ResolvedDisk =>
  resolveDisk(parseDisk(spec), { domid: 11, domainType: 'hvm', target: 'file', domidOf: () => undefined })

const whyOf = (spec: string): string[] => coloProblems([resolve(spec)]).map(({ why }) => why)

function refusal(disks: ResolvedDisk[], options: Partial<DiskArgsOptions> = {}): LibxlError | undefined {
  try {
    buildDiskArgs(disks, { domainType: 'hvm', ...options })
  } catch (error) {
    if (error instanceof LibxlError) return error
    throw error
  }
  return undefined
}

t.test('a disk that can be protected breaks no rule', async t => {
  t.strictSame(whyOf(colo('vdev=hda')), [])
  t.strictSame(safeParseDisk(colo('vdev=hda')).diagnostics, [])
  t.equal(refusal([resolve(colo('vdev=hda'))]), undefined)
  t.strictSame(whyOf(colo('vdev=hda', { 'colo-port': '65535' })), [])
  t.strictSame(whyOf(colo('vdev=hda', { 'colo-port': '1' })), [])
})

t.test('a disk without colo is no matter of COLO', async t => {
  t.strictSame(coloProblems([resolve('vdev=hdc,cdrom,target=/x'), resolve('vdev=hda,colo-port=-1,target=/x')]), [])
})

/** A spec, why it cannot be protected, and whether lint says it in the same words. */
const alone: [spec: string, reason: string, why: string, lint: boolean][] = [
  [colo('vdev=hdc,cdrom'), 'colo-cdrom', 'a CD drive cannot be replicated: take colo away from it', true],
  [
    colo('vdev=sda,access=ro'),
    'colo-read-only',
    'a read-only disk cannot be replicated, QEMU aborts: write access=rw or take colo away',
    true,
  ],
  [colo('vdev=hda', { 'colo-port': '65536' }), 'colo-port-range', 'from 1 to 65535, not 65536', true],
  [colo('vdev=hda', { 'colo-port': '-1' }), 'colo-port-range', 'from 1 to 65535, not -1', true],
  [colo('vdev=hda', { 'colo-export': '0e' }), 'colo-export-id', 'QEMU takes no id "0e": colo-export is a letter', true],
  [
    colo('vdev=hda', { 'colo-export': 'colo_node768' }),
    'colo-export-taken',
    `colo-export "colo_node768" is libxl's name for the way to the other host: give it another name`,
    false,
  ],
  ...Object.keys(keys).map((key): (typeof alone)[number] => [
    colo('vdev=hda', { [key]: null }),
    'colo-missing-key',
    `COLO needs ${key}, which is not set`,
    false,
  ]),
]
for (const [spec, reason, why, lint] of alone) {
  t.test(`arguments, lint and run time agree: ${spec}`, async t => {
    const disk = resolve(spec)
    const [problem, ...others] = coloProblems([disk])
    t.strictSame(others, [])
    t.equal(problem!.disk, disk)
    t.match(problem, { reason, why })
    t.match(refusal([disk]), { reason, message: `disk ${disk.vdev}: ${problem!.why}` })
    const warning = safeParseDisk(spec).diagnostics.find(({ code }) => code === reason)
    t.equal(warning !== undefined, lint || reason === 'colo-missing-key')
    if (lint) t.ok(problem!.why.startsWith(warning!.message), warning!.message)
  })
}

t.test('a backend is looked at once it is chosen; before, what it will be chosen by', async t => {
  const disk = resolve(colo('vdev=hda'))
  const why = 'COLO needs the backend qdisk, and this is phy'
  t.match(coloProblems([{ ...disk, backend: 'phy' }]), [{ reason: 'colo-backend', why }])
  t.match(refusal([{ ...disk, backend: 'phy' }]), { reason: 'colo-backend', message: `disk hda: ${why}` })
  t.match(coloProblems([{ ...disk, backend: 'unknown' }]), [{ reason: 'colo-backend', why: /this is unknown$/ }])
  const message = (spec: string) => safeParseDisk(spec).diagnostics.map(({ field, message }) => [field, message])
  t.strictSame(message(colo('vdev=hda,backendtype=phy')), [['backend', why]])
  const needs = 'COLO needs the backend qdisk, which takes no'
  t.strictSame(message(colo('vdev=hda,script=s')), [['script', `${needs} script`]])
  t.strictSame(message(colo('vdev=hda,specification=virtio')), [['specification', `${needs} virtio disk`]])
  t.strictSame(message(colo('vdev=hda,specification=virtio,script=s')), [['script', `${needs} script`]])
})

t.test('the guest', async t => {
  const disk = resolve(colo('vdev=hda'))
  for (const domainType of ['pv', 'pvh'] as const) {
    const [problem] = coloProblems([disk], { domainType })
    t.match(problem, { reason: 'colo-guest', why: `HVM guests only, and this guest is ${domainType}` })
    t.equal(refusal([disk], { domainType })?.message, `disk hda: ${problem!.why}`)
  }
  const [problem] = coloProblems([disk], { domainType: 'hvm', stubdom: true })
  t.match(problem, { reason: 'colo-guest', why: 'stub domain' })
  t.equal(refusal([disk], { stubdom: true })?.message, `disk hda: ${problem!.why}`)
  t.strictSame(coloProblems([disk], { domainType: 'hvm', stubdom: false }), [])
  t.strictSame(coloProblems([disk], {}), [])
})

t.test('disks that exclude each other: the second is told', async t => {
  const first = colo('vdev=hda')
  const others: [change: Parameters<typeof colo>[1], reason: string, why: string][] = [
    [{ 'colo-host': 'i', 'colo-export': 'f' }, 'colo-different-secondary', 'and hda has others'],
    [{ 'colo-port': '10', 'colo-export': 'f' }, 'colo-different-secondary', 'and hda has others'],
    [{}, 'colo-export-taken', 'colo-export "e" is the id of another drive: give it another name'],
  ]
  for (const [change, reason, why] of others) {
    const disks = [resolve(first), resolve(colo('vdev=hdb', change))]
    const [problem, ...more] = coloProblems(disks)
    t.strictSame(more, [])
    t.equal(problem!.disk, disks[1])
    t.match(problem, { reason, why })
    t.equal(refusal(disks)?.message, `disk hdb: ${problem!.why}`)
  }
  const way = [resolve(colo('vdev=hda', { 'colo-export': 'colo_node832' })), resolve(colo('vdev=hdb'))]
  t.match(coloProblems(way), [{ disk: { vdev: 'hda' }, reason: 'colo-export-taken', why: "libxl's name" }])
})

t.test('an address that is missing or none is no other address', async t => {
  const disks = [
    resolve(colo('vdev=hda', { 'colo-host': null, 'colo-export': 'e1' })),
    resolve(colo('vdev=hdb', { 'colo-port': null, 'colo-export': 'e2' })),
    resolve(colo('vdev=sda', { 'colo-port': '70000', 'colo-export': 'e5' })),
    resolve(colo('vdev=hdc', { 'colo-export': 'e3' })),
    resolve(colo('vdev=hdd', { 'colo-export': 'e4', 'colo-host': 'i' })),
  ]
  t.strictSame(
    coloProblems(disks).map(({ disk: { vdev }, reason }) => [vdev, reason]),
    [
      ['hda', 'colo-missing-key'],
      ['hdb', 'colo-missing-key'],
      ['sda', 'colo-port-range'],
      ['hdd', 'colo-different-secondary'],
    ],
  )
})

t.test('one image in two roles; the arguments warn of that instead', async t => {
  const cases: [change: Parameters<typeof colo>[1], shared: string[]][] = [
    [{ 'active-disk': '/x' }, ['active-disk and target']],
    [{ 'hidden-disk': '/x' }, ['hidden-disk and target']],
    [{ 'hidden-disk': '/a' }, ['hidden-disk and active-disk']],
    [{ 'active-disk': '/x', 'hidden-disk': '/x' }, ['active-disk and target', 'hidden-disk and target']],
  ]
  for (const [change, shared] of cases) {
    const spec = colo('vdev=hda', change)
    const sentences = shared.map(roles => `${roles} are the same`)
    const why = `${sentences.join(', ')}: give each an image of its own`
    t.match(coloProblems([resolve(spec)]), [{ reason: 'colo-same-disk', why }])
    t.strictSame(
      safeParseDisk(spec).diagnostics.map(({ message }) => message),
      sentences,
    )
    t.equal(refusal([resolve(spec)], { coloRestore: true }), undefined)
  }
})

t.test('run time tells all that is wrong, in the order in which the arguments refuse', async t => {
  const disk = { ...resolve(colo('vdev=hdc,cdrom', { 'colo-port': '70000', 'colo-export': '-' })), activeDisk: '' }
  const guest = { domainType: 'pv', stubdom: true } as const
  const problems = coloProblems([{ ...disk, backend: 'phy', hiddenDisk: '/x' }], guest)
  t.strictSame(
    problems.map(({ reason }) => reason),
    [
      ...['colo-guest', 'colo-guest', 'colo-cdrom', 'colo-backend', 'colo-missing-key', 'colo-port-range'],
      ...['colo-export-id', 'colo-same-disk'],
    ],
  )
})

t.test('a rule whose facts are not known says nothing', async t => {
  t.strictSame([...brokenRules({})], [])
  const disk = resolve(colo('vdev=hda', { 'colo-export': '0e' }))
  t.equal(firstBrokenRule({ disk }), undefined, 'ids are not looked at')
  t.match(firstBrokenRule({ disk, misplaced: 'it is nowhere' }), { reason: 'colo-place', why: 'it is nowhere' })
})

t.test('lint shows a port as it is written', async t => {
  const port = (text: string) =>
    safeParseDisk(colo('vdev=hda', { 'colo-port': text })).diagnostics.flatMap(({ code, message }) =>
      code === 'colo-port-range' ? [message] : [],
    )
  const range = 'colo-port is a number from 1 to 65535, not'
  t.strictSame(port('65536'), [`${range} 65536`])
  t.strictSame(port('4294967297'), [`${range} 4294967297, which libxl takes for 1`])
  t.strictSame(port('-1x'), [`${range} -1`])
})
