import t from 'tap'
import { LibxlError, parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs, type DiskArgs, type DiskArgsOptions } from 'xenlight/dm-args'
import { type ArgvCase, argvGolden, parseArgvGolden } from '../support/argv-golden.js'

const domains: ReadonlyMap<string, number> = new Map([
  ['storage', 7],
  ['Domain-0', 0],
])

function disksOf({ type: domainType, disks }: ArgvCase): ResolvedDisk[] {
  const domidOf = (name: string) => domains.get(name)
  return disks.map(({ spec, target, change }) => {
    const disk = resolveDisk(parseDisk(spec), { domid: 11, domainType, target, domidOf, create: true })
    return { ...disk, ...change }
  })
}

/** What is asked for besides what the case says. */
type Mode = Pick<DiskArgsOptions, 'dialect' | 'libxlExact'>

function optionsOf(
  { type, hdtype, colo, stubdom, dialect, physicalDevicePath }: ArgvCase,
  mode: Mode,
): DiskArgsOptions {
  const guest = { domid: 11, domainType: type, hdtype, coloRestore: colo === 'secondary', stubdom }
  return { ...guest, dialect, physicalDevicePath, ...mode }
}

/** An answer as lines, so that a failure shows those that differ. */
const lines = (argv: readonly string[], warnings: readonly string[], refused?: string): string[] => [
  ...argv.flatMap((option, index) => (index % 2 === 0 ? `${option} ${argv[index + 1]}` : [])),
  ...warnings.map(warning => `warning: ${warning}`),
  ...(refused === undefined ? [] : [`refused: ${refused}`]),
]

/** What is built, or how it is refused. */
function answer(build: () => DiskArgs, say: (error: LibxlError) => string): string[] {
  try {
    const { args, warnings } = build()
    return lines(args, warnings)
  } catch (error) {
    if (!(error instanceof LibxlError)) throw error
    return lines([], error.warnings, say(error))
  }
}

const built = (row: ArgvCase, mode: Mode, say: (error: LibxlError) => string) =>
  answer(() => buildDiskArgs(disksOf(row), optionsOf(row, mode)), say)

const whole = ({ code, message }: LibxlError) => `${code} ${message}`

/** Of a second device we also say which two disks they are. */
const reason = ({ message }: LibxlError) =>
  message.replace(/^(device already exists in xenstore): \w+ is (?:\w+|given twice)$/, '$1')

/** libxl's reason is the first error that it logged. */
const libxlLines = ({ argv, warnings, log }: ArgvCase) =>
  lines(argv, warnings, log?.[0]?.replace(/^error: \w+: (?:Domain DOMID:)?/, ''))

const isNoWarning = (line: string) => !line.startsWith('warning: ')
const isNotOurs = (line: string) => !line.startsWith('warning: QEMU will refuse disk ')

/** Neither hostile, nor replicated in a way that QEMU does not take: those are departures. */
function isSound({ hdtype, stubdom, dialect, disks }: ArgvCase): boolean {
  const names = 'colo-host=[^,]+,colo-port=\\d+,colo-export=[a-z][^,]*,active-disk=[^,]+,hidden-disk=[^,]+'
  const vdev = hdtype === 'ahci' ? 'sd[a-h]' : '(?:hd|sd|xvd)[a-d]'
  const replicated = new RegExp(`^colo,${names},(?:format=(?:raw|qcow2),)?vdev=${vdev},target=[^,:]+$`)
  const replicatedDisks = disks.filter(({ spec }) => spec.startsWith('colo')).length
  return disks.every(({ spec }) => {
    if (/target=.*[,:\udc80-\udcff]|fdset/.test(spec)) return false
    if (spec.includes('colo')) return replicatedDisks === 1 && !stubdom && replicated.test(spec)
    return !(dialect === '4.7' && /access=r\b.*vdev=sd/.test(spec))
  })
}

const releases = [
  ['xen-4.17.txt', '4.17'],
  ['xen-4.7.txt', '4.7'],
] as const

for (const [file, dialect] of releases) {
  const rows = argvGolden(file).map(row => (dialect === '4.7' ? { ...row, dialect } : row))

  t.test(`buildDiskArgs with libxlExact gives the arguments and warnings of golden/argv/${file}`, t => {
    for (const row of rows) t.strictSame(built(row, { dialect, libxlExact: true }, reason), libxlLines(row), row.name)
    t.end()
  })

  t.test(`the default mode gives all of golden/argv/${file} where libxl is right`, t => {
    const sound = rows.filter(row => row.rc === 0 && isSound(row))
    t.ok(sound.length > 400)
    t.ok(sound.some(({ colo }) => colo === 'secondary'))
    for (const row of sound) {
      const got = built(row, { dialect }, whole)
      // 4.7 does not tell of every disk, and has a blank less.
      const want = dialect === '4.7' ? libxlLines(row).filter(isNoWarning) : libxlLines(row)
      t.strictSame(got.filter(dialect === '4.7' ? isNoWarning : isNotOurs), want, row.name)
    }
    t.end()
  })
}

t.test('dialect 4.7 writes golden/argv/seed-2016.txt in both modes', t => {
  for (const row of argvGolden('seed-2016.txt')) {
    t.equal(row.dialect, '4.7', row.name)
    for (const libxlExact of [true, false])
      t.strictSame(built(row, { libxlExact }, whole), lines(row.argv, []), row.name)
  }
  t.end()
})

t.test('the default mode departs from libxl as golden/argv/departures.txt says, and libxlExact does not', t => {
  for (const row of argvGolden('departures.txt')) {
    t.ok(row.why, `${row.name}: says why`)
    t.strictSame(built(row, {}, whole), lines(row.argv, row.warnings, row.refused), row.name)
    const { libxl } = row
    if (libxl === undefined) continue
    const want = lines(libxl.argv, libxl.warnings, libxl.refused)
    t.strictSame(built(row, { libxlExact: true }, whole), want, `libxl: ${row.name}`)
  }
  t.end()
})

t.test('buildBlockdevArgs gives what golden/argv/blockdev.txt says', t => {
  for (const row of argvGolden('blockdev.txt')) {
    const targets = new Map(disksOf(row).map(({ pdevPath }, index) => [pdevPath, row.disks[index]!.target]))
    const targetOf = (path: string) => (path === row.physicalDevicePath ? 'block' : (targets.get(path) ?? 'file'))
    const got = answer(() => buildBlockdevArgs(disksOf(row), { ...optionsOf(row, {}), targetOf }), whole)
    t.strictSame(got, lines(row.argv, row.warnings, row.refused), row.name)
  }
  t.end()
})

t.test('a golden that is not understood fails', t => {
  const good = '# head\n\n= hvm, ide\ndisk (file): vdev=hda,target=/x\n-drive file=/x\n'
  t.equal(parseArgvGolden(good, 'g').length, 1)
  const bad: [text: string, message: RegExp][] = [
    ['# head\n', /^g has no cases/],
    [good.trimEnd(), /no end$/],
    [good.replace('vdev=hda', 'vdev=hda\\t'), /^g:4: a backslash/],
    [good.replace('/x\n', '/x \n'), /^g:4: a control/],
    [good.replace('/x\n', '/x\x1b\n'), /^g:4: a control/],
    [good.replace('hvm', 'HVM'), /^g:3: not a guest/],
    [good.replace('(file)', '(socket)'), /^g:4: not a line/],
    [good.replace('-drive', 'drive:'), /^g:5: not a line/],
    [good.replace('-drive', 'refused: ERROR_NONE'), /^g:5: not a line/],
    [good.replace('disk', '\ndisk'), /^g:5: not in a case/],
    [`${good}# late\n`, /^g:6: not a line/],
    [`${good}\nlate\n`, /^g:7: not in a case/],
  ]
  for (const [text, message] of bad) t.throws(() => parseArgvGolden(text, 'g'), { message })
  t.end()
})
