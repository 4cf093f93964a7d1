import t, { type Test } from 'tap'
import { addDisks, type DeviceDisk, type DiskHost, parseDisk } from 'xenlight'
import { embeddedStore, type Xenstore } from 'xenlight/xenstore'
import { populate } from '../../support/disk-store.js'
import { goodMoves, type Moves, playBackend } from '../../support/played-disk.js'
import { runWith, runWithXen, type World } from '../fake-io.js'

const host: DiskHost = {
  domid: 0,
  examine: async path => (path.startsWith('/dev/') ? { target: 'block' } : { target: 'file' }),
  createEmptyCdrom: async () => {},
  runScript: async () => ({ status: 0, stderr: '' }),
}
const backend = '/local/domain/0/backend/vbd/11/51728'
const spec = 'vdev=xvdb,target=/dev/vg/data'

/** A Xen with the PV guest 11, whose backends for its device xvdb do what they are to. */
async function running(t: Test, moves: Moves = goodMoves): Promise<{ world: World; store: Xenstore }> {
  const embedded = embeddedStore({ domains: [7, 11] })
  t.teardown(() => embedded.close())
  const store = embedded.connect()
  await populate(store, [{ domid: 11, type: 'pv' }])
  const paths = { backend, frontend: '', libxl: '' }
  const device = { domid: 11, devid: 51728, backendDomid: 0, kind: 'vbd', backendKind: 'vbd', paths } as const
  const attaching: DiskHost = {
    ...host,
    async runScript({ args }) {
      if (args[0] === 'add') await store.write(`${backend}/physical-device`, 'fe:0')
      return { status: 0, stderr: '' }
    },
  }
  playBackend(t, embedded.connect(), device, moves)
  return { world: { xen: { store, host: attaching } }, store }
}

t.test('a disk is attached, told of, and listed', async t => {
  const { world } = await running(t)
  const attached = await runWithXen(['--apply', '--domid', '11', spec], world)
  t.strictSame(attached, {
    status: 0,
    stdout: `xvdb: attached to domain 11 as device 51728, served by phy in domain 0 (${backend})\n`,
    stderr: '',
  })
  const listed = await runWithXen(['--list', '--domid=11', '-ospec'], world)
  t.strictSame(listed, {
    status: 0,
    stdout: 'format=raw,vdev=xvdb,access=rw,backendtype=phy,specification=xen,discard,no-colo,target=/dev/vg/data\n',
    stderr: '',
  })
  const asJson = await runWithXen(['--list', '--domid', '11'], world)
  t.match(JSON.parse(asJson.stdout), [{ pdev_path: '/dev/vg/data', vdev: 'xvdb', backend: 'phy', format: 'raw' }])
  const exact = await runWithXen(['--list', '--domid', '11', '--libxl-exact'], world)
  t.notHas(JSON.parse(exact.stdout)[0], { format: 'raw' })
})

t.test('what was done, as JSON', async t => {
  const { world } = await running(t)
  const { stdout } = await runWithXen(['--apply', '--domid', '11', '-o', 'json', spec], world)
  t.match(JSON.parse(stdout), {
    ...{ vdev: 'xvdb', domid: 11, devid: 51728, backend: 'phy', backendDomid: 0, attempts: 1 },
    paths: { backend },
    disk: { pdev_path: '/dev/vg/data', discard_enable: 'True' },
  })
})

t.test('a disk that its backend refuses leaves nothing, and says why', async t => {
  const { world, store } = await running(t, { 1: { state: '6' } })
  const { status, stdout, stderr } = await runWithXen(['--apply', '--domid', '11', spec], world)
  t.strictSame([status, stdout], [1, ''])
  t.match(stderr, /^error\[ERROR_[A-Z]+\]: .*(?:xvdb|51728)/)
  t.equal(await store.readIfPresent(backend), undefined)
  t.equal(await store.readIfPresent('/libxl/11/device'), undefined)
})

t.test('a device that is there already', async t => {
  const { world } = await running(t)
  await runWithXen(['--apply', '--domid', '11', spec], world)
  const { status, stderr } = await runWithXen(['--apply', '--domid', '11', spec], world)
  t.equal(status, 1)
  t.match(
    stderr,
    /^error\[ERROR_DEVICE_EXISTS\]: device already exists in xenstore: 51728 of domain 11\n(.*\n)*hint: .*--list/,
  )
})

t.test('a dry run shows the nodes, without any Xen', async t => {
  const world: World = { targets: { '/dev/vg/data': 'block' } }
  const args = ['--domid', '11', '--domain-type=pv', spec]
  const { status, stdout, stderr } = await runWithXen(['--apply', '--dry-run', ...args], world)
  t.strictSame([status, stderr], [0, ''])
  t.equal(stdout, runWith(['-o', 'xenstore', ...args], world).stdout)
  const offline = await runWithXen(['--apply', '--dry-run', '--offline', ...args])
  t.equal(offline.stdout, stdout)
})

t.test('a dry run says as JSON what would be done', async t => {
  const args = ['--apply', '--dry-run', '--offline', '--domid', '11', '-o', 'json', spec]
  const { status, stdout } = await runWithXen(args)
  t.equal(status, 0)
  t.match(JSON.parse(stdout), { vdev: 'xvdb', domid: 11, devid: 51728, paths: { backend } })
})

t.test('a hint names no option that is refused here', async t => {
  const { world } = await running(t)
  const examine = async () => ({ target: 'missing', reason: 'No such file or directory' }) as const
  const withoutTargets: World = { xen: { ...world.xen!, host: { ...host, examine } } }
  const cases: [text: string, dryRun: RegExp, onXen: RegExp][] = [
    ['vdev=xvdc,target=/x', /hint: --offline/, /hint: the target must be on this machine/],
    [`backend=nosuch,${spec}`, /hint: .*--domain NAME=DOMID/, /hint: .*running domain/],
  ]
  for (const [text, dryRun, onXen] of cases) {
    const args = ['--apply', '--domid', '11', text]
    t.match((await runWithXen(args, withoutTargets)).stderr, onXen)
    t.match((await runWithXen([...args, '--dry-run'])).stderr, dryRun)
  }
})

t.test('an error is not hidden behind warnings', async t => {
  const many = Array.from({ length: 300 }, (_, index) => `'vdev=xvd${index},target=/dev/a,b'`)
  const files = { 'guest.cfg': `disk = [ ${many}, 'vdev=xvda,target=/dev/x', 'vdev=xvda,target=/dev/y' ]\n` }
  const args = ['--apply', '--dry-run', '--offline', '--domid', '11', '--config', 'guest.cfg']
  const { status, stderr } = await runWithXen(args, { files })
  t.equal(status, 1)
  t.match(stderr, /^error\[ERROR_[A-Z_]+\]: /m)
  t.equal(stderr.match(/^(error|warning)\[/gm)?.length, 100)
  t.match(stderr, /\n… and \d+ more\n$/)
})

t.test('a dry run knows the domains that it is told of', async t => {
  const args = ['--apply', '--dry-run', '--domid=11', '--offline', '--domain', 'storage=7', `backend=storage,${spec}`]
  const { status, stdout } = await runWithXen(args)
  t.equal(status, 0)
  t.match(stdout, '/local/domain/7/backend/vbd/11/51728')
})

t.test('a spec that libxl refuses is refused before anything is asked', async t => {
  const { status, stderr } = await runWithXen(['--apply', '--domid', '11', 'foo=bar'])
  t.equal(status, 1)
  t.match(stderr, /^error\[unknown-parameter\]/)
})

t.test('a file of disks is attached whole or not at all', async t => {
  const { world, store } = await running(t)
  const files = { 'guest.cfg': `type = "pv"\ndisk = [ '${spec}', 'vdev=51728,target=/dev/vg/other' ]\n` }
  const { status, stderr } = await runWithXen(['--apply', '--domid', '11', '--config', 'guest.cfg'], {
    ...world,
    files,
  })
  t.equal(status, 1)
  t.match(stderr, /ERROR_DEVICE_EXISTS/)
  t.equal(await store.readIfPresent(backend), undefined)
})

/** Disks that are in the store and that nobody serves. */
async function listed(t: Test, specs: readonly string[], changes: Partial<DeviceDisk> = {}) {
  const { world, store } = await running(t)
  await store.write('/local/domain/7/name', 'storage')
  const disks = specs.map(text => ({ ...parseDisk(text), ...changes }))
  await addDisks(store, disks, { domid: 11, host, wait: false, libxlExact: true })
  return { world, store, list: () => runWithXen(['--list', '--domid', '11', '-o', 'spec'], world) }
}
const colo = 'colo,colo-host=h,colo-port=9,active-disk=/a,hidden-disk=/h'

t.test('a list names the domain of a backend, or its number where no name leads to it', async t => {
  const { store, list } = await listed(t, [`backend=storage,${spec}`])
  const line = (backend: string) =>
    `format=raw,vdev=xvdb,access=rw,backend=${backend},backendtype=phy,specification=xen,discard,no-colo,target=/dev/vg/data\n`
  t.strictSame(await list(), { status: 0, stdout: line('storage'), stderr: '' })
  for (const name of ['a,b', '12', 'two words', '', 'a\nb']) {
    await store.write('/local/domain/7/name', name)
    t.strictSame(await list(), { status: 0, stdout: line('7'), stderr: '' }, JSON.stringify(name))
  }
  await store.write('/local/domain/7/name', 'guest11')
  await store.write('/local/domain/11/name', 'guest11')
  await store.write('/local/domain/3/name', 'guest11')
  t.equal((await list()).stdout, line('7'), 'the lowest domain of that name is another')
  await store.rm('/local/domain/7/name')
  t.equal((await list()).stdout, line('7'))
})

t.test('a disk that has no spec is an error of its own, and the others are listed', async t => {
  const specs = ['vdev=xvda,target=/x', `${colo},colo-export=e,vdev=xvdc,target=/y`, 'vdev=xvdd,target=/z']
  const { store, list } = await listed(t, specs)
  const vdevs = (text: string) => [...text.matchAll(/^format=raw,vdev=(\w+),/gm)].map(([, vdev]) => vdev)
  t.strictSame(vdevs((await list()).stdout), ['xvda', 'xvdc', 'xvdd'])
  const cases: [path: string, value: string, stderr: RegExp][] = [
    [
      'colo-export',
      'a,b',
      /^error\[unwritable-text\]: no disk spec gives coloExport the value "a,b" here\n --> spec:1:12\n/,
    ],
    ['params', 'aio:/y\nz', /^error\[line-feed\]: .* holds a line feed\n --> spec:1:12\n/],
    ['removable', '1', /^error\[unwritable-field\]: no disk spec gives removable the value true here\n/],
    ['type', 'nonsense', /^$/],
    [
      'specification',
      'nonsense',
      /^error\[ERROR_FAIL\]: Unable to parse xenstore node .*\n --> spec:1:12\n1 \| domain 11, device 51744\n/,
    ],
  ]
  for (const [path, value, stderr] of cases) {
    const node = `/libxl/11/device/vbd/51744/${path}`
    const before = await store.read(node)
    await store.write(node, value)
    const outcome = await list()
    const isFine = stderr.source === '^$'
    t.equal(outcome.status, isFine ? 0 : 1, path)
    t.match(outcome.stderr, stderr)
    t.strictSame(vdevs(outcome.stdout), isFine ? ['xvda', 'xvdc', 'xvdd'] : ['xvda', 'xvdd'], path)
    await store.write(node, before)
  }
})

t.test('of several disks those are marked that fail', async t => {
  const file = `disk = [ 'vdev=xvda,target=/dev/a',
         'vdev=xvdb,target=/missing',
         'vdev=xvdc,target=/dev/c', 'vdev=xvdd,target=/gone' ]
`
  const world: World = { files: { 'guest.cfg': file }, targets: { '/dev/a': 'block', '/dev/c': 'block' } }
  const args = ['--apply', '--dry-run', '--domid', '11', '--config', 'guest.cfg']
  const { status, stdout, stderr } = await runWithXen(args, world)
  t.strictSame([status, stdout], [1, ''])
  t.strictSame(stderr.match(/--> guest.cfg:\d+:\d+/g), ['--> guest.cfg:2:10', '--> guest.cfg:3:37'])
  t.strictSame(
    stderr.match(/^ +\| *\^+$/gm)?.map(carets => carets.match(/\^/g)!.length),
    [27, 24],
  )
  const json = await runWithXen([...args, '--diagnostics', 'json'], world)
  const told = json.stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  t.match(told, [
    {
      code: 'ERROR_INVAL',
      reason: 'target-missing',
      field: 'pdevPath',
      line: 2,
      column: 10,
      message: /vdev=xvdb failed to stat: \/missing/,
    },
    {
      code: 'ERROR_INVAL',
      reason: 'target-missing',
      field: 'pdevPath',
      line: 3,
      message: /vdev=xvdd failed to stat: \/gone/,
    },
  ])
  t.equal(told.length, 2)
  t.strictSame(
    told.map(({ start, end }) => file.slice(start, end)),
    ["'vdev=xvdb,target=/missing'", "'vdev=xvdd,target=/gone'"],
  )
})

t.test('no daemon, no such domain', async t => {
  t.strictSame(await runWithXen(['--list', '--domid', '3']), {
    status: 1,
    stdout: '',
    stderr: 'xl-disk-parse: xenstore: CONNECT /run/xenstored/socket: ECONNREFUSED\n',
  })
  const { world } = await running(t)
  const listed = await runWithXen(['--list', '--domid', '5'], world)
  t.equal(listed.status, 1)
  t.match(listed.stderr, /domain 5 does not exist/)
  t.strictSame(await runWithXen(['--list', '--domid', '7'], world), { status: 0, stdout: '[]\n', stderr: '' })
})

t.test('wrong usage', async t => {
  const cases: [args: string[], message: string][] = [
    [['--apply', spec], '--apply needs --domid N'],
    [['--list'], '--list needs --domid N'],
    [['--list', '--domid', '1', spec], '--list takes no SPEC'],
    [['--list', '--apply', '--domid', '1'], '--apply has no meaning with --list'],
    [['--apply', '--domid', '1', '--offline', spec], '--offline is for --apply --dry-run only'],
    [['--apply', '--domid', '1', '--domain', 'a=1', spec], '--domain is for --apply --dry-run only'],
    [['--apply', '--domid', '1', '-o', 'argv', spec], '--output argv has no meaning with --apply (json has)'],
    [['--dry-run', spec], '--dry-run is for --apply only'],
    [['--libxl-exact', spec], '--libxl-exact is for -o argv, --list and --apply only'],
    [['--apply', '--domid', '1'], 'no SPEC was given, nor --config FILE\n'],
  ]
  for (const [args, message] of cases) {
    const { status, stderr } = await runWithXen(args)
    t.equal(status, 2, args.join(' '))
    t.match(stderr, message)
  }
})
