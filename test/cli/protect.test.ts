import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseDisk, toLibxlJson } from 'xenlight'
import { protectDisks } from 'xenlight/dm-args'
import { readAgentConfig } from '#xenlight/replication/config/agent-config.js'
import { runWith, type World } from './fake-io.js'

const hub = 'hub.example:7900'
const protect = (...args: string[]) => runWith(['--protect', hub, '--group', 'web', '--offline', ...args])
const image = 'format=qcow2,vdev=hda,target=/images/a.qcow2'
const url = 'nbd+unix:///web/hda?socket=/run/repagent/web.hda.sock'

t.test('every form is that of the disks as they are then', t => {
  const { disk } = protectDisks([parseDisk(image)], { group: 'web' })[0]!
  const forms: [form: string, stdout: string | RegExp][] = [
    ['json', `disk: ${toLibxlJson(disk)}\n`],
    ['spec', `format=raw,vdev=hda,access=rw,backendtype=qdisk,target=${url}\n`],
    ['xenstore', /\/local\/domain\/0\/backend\/qdisk\/0\/768\/params = "aio:nbd\+unix:\/\/\/web\/hda\?socket=/],
    ['argv', `-drive\nfile=${url},if=ide,index=0,media=disk,format=raw,cache=writeback\n`],
    ['blockdev', /"export":"web\/hda","reconnect-delay":10\}\}\n-device\nide-hd,.*,werror=stop,rerror=stop\n$/],
    ['graph', /nbd ide0-hd0-file<br\/>\/run\/repagent\/web\.hda\.sock<br\/>export web\/hda/],
    ['graph-dot', /web\.hda\.sock/],
  ]
  for (const [form, stdout] of forms) {
    const outcome = protect('-o', form, image)
    t.match(outcome, { status: 0, stdout }, form)
    t.equal(outcome.stderr, '', form)
  }
  t.equal(protect(image).stdout, protect('-ojson', image).stdout)
  const exact = protect('-oargv', '--libxl-exact', image)
  t.match(exact, { status: 0, stdout: `-drive\nfile=${url},if=ide,` })
  const before = runWith(['-oblockdev', '--offline', 'vdev=hda,target=nbd+unix:///x?socket=/s']).stdout
  t.notMatch(before, /reconnect-delay|werror/, 'other NBD targets are as they were')
  t.end()
})

t.test("the spec that comes out is libxl's, and is protected no second time", t => {
  const spec = protect('-ospec', image).stdout.trim()
  t.match(runWith(['-oargv', '--offline', spec]).stdout, `file=${url},`)
  t.match(protect('-ospec', spec), { status: 1, stdout: '', stderr: /NBD export already/ })
  t.end()
})

const guest =
  (text: string, ...options: string[]) =>
  (world: World) =>
    runWith(['--protect', hub, '--config', 'guest.cfg', ...options], { files: { 'guest.cfg': text }, ...world })
const all = `name = "web"
type = "hvm"
disk = [ "vdev=hda,format=qcow2,target=/images/a", "vdev=hdc,cdrom,target=/cd.iso",
  "vdev=sdb,access=ro,target=/ro", "vdev=sda,target=/dev/vg/data" ]
`

t.test("a guest's agent is told of all of its disks that are written to", t => {
  const targets = { '/images/a': 'file', '/dev/vg/data': 'block' } as const
  const { status, stdout, stderr } = guest(all, '-oagent', '--run', '/run/x/')({ targets, hostname: 'anna.example' })
  t.equal(status, 0)
  t.match(stderr, /^warning\[left-unprotected\]: disk hdc .*CD drive\n --> guest\.cfg:3:52\n(.*\n)*warning.*disk sdb/)
  t.notMatch(stderr, /error/)
  t.match(readAgentConfig(stdout, 'agent.yaml'), {
    name: 'anna.example',
    hub: { host: 'hub.example', port: 7900 },
    state: '/var/lib/repagent',
    run: '/run/x/',
    groups: {
      web: {
        way: 'inline',
        disks: { hda: { image: '/images/a', format: 'qcow2' }, sda: { image: '/dev/vg/data', format: 'raw' } },
      },
    },
  })
  const disk = (name: string, image: string, format: string) =>
    `      "${name}":\n        image: "${image}"\n        format: ${format}\n`
  t.equal(
    stdout,
    'name: "anna.example"\nhub: "hub.example:7900"\nstate: "/var/lib/repagent"\nrun: "/run/x/"\ngroups:\n  "web":\n    disks:\n' +
      `${disk('hda', '/images/a', 'qcow2')}${disk('sda', '/dev/vg/data', 'raw')}`,
    'every reader of YAML takes its texts for texts',
  )
  const [served] = Object.values(readAgentConfig(stdout, 'agent.yaml').groups)
  t.strictSame(Object.keys(served!.disks), ['hda', 'sda'])
  const shown = guest(
    all,
    '-oblockdev',
    '-0',
    '--run',
    '/run/x/',
  )({ targets: { ...targets, '/cd.iso': 'file', '/ro': 'file' } })
  t.match(shown, { status: 0 })
  const sockets = [...shown.stdout.matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path)
  t.strictSame(sockets, ['/run/x/web.hda.sock', '/run/x/web.sda.sock'], 'QEMU asks where the agent is')
  t.equal(shown.stdout.match(/"reconnect-delay":10/g)?.length, 2)
  t.equal(shown.stdout.match(/werror=stop/g)?.length, 2)
  t.end()
})

t.test('what is left as it is counts as no mistake', t => {
  const { status, stdout, stderr } = guest(all, '-ospec', '--offline', '--strict')({})
  t.match({ status, stderr }, { status: 0, stderr: /^warning\[left-unprotected\]/ })
  t.equal(stdout.split('\n').length, 5)
  t.match(stdout, /format=raw,vdev=hdc,.*target=\/cd\.iso\n/)
  const [line] = guest(all, '--offline', '--diagnostics=json')({}).stderr.split('\n')
  t.match(JSON.parse(line!), { severity: 'warning', code: 'left-unprotected', line: 3, column: 52 })
  const none = guest('name="web"\ntype="hvm"\ndisk=["vdev=hdc,cdrom,target=/cd.iso"]\n', '-oagent', '--offline')({})
  t.match(readAgentConfig(none.stdout, 'agent.yaml').groups, { web: { way: 'inline', disks: {} } })
  t.end()
})

t.test('what would stay unprotected is an error at its place, in every form', t => {
  const cases: [disks: string, stderr: RegExp, options?: string[]][] = [
    [
      '"vdev=hda,target=/a", "format=vhd,vdev=hdb,target=/b"',
      /^error\[not-protectable\]: disk hdb cannot be protected: .*vhd\n --> guest\.cfg:3:29\n(.*\n)*hint: convert it/,
    ],
    ['"vdev=hda,colo,target=/a"', /error\[not-protectable\]: disk hda .*COLO/],
    ['"vdev=hda,target=/a", "vdev=hdb,target=/a"', /error\[not-protectable\]: disk hdb .*hda has its image/],
    ['"vdev=xvde,target=/a"', /error\[ERROR_INVAL\]: disk xvde: QEMU opens an NBD export only for a disk that it emu/],
    ['"vdev=51712,target=/a"', /error\[ERROR_INVAL\]: disk 51712: .*its vdev is a number/],
    ['"vdev=hda,target=/a"', /error\[ERROR_INVAL\]: .*guest of type pv/, ['--domain-type=pv']],
    ['"vdev=hda,target=/a"', /error\[ERROR_INVAL\]: .*stub domain/, ['--stubdom']],
    ['"vdev=hda,target=/a"', /socket .* bytes/, ['--run', `/${'x'.repeat(100)}`]],
  ]
  for (const [disks, stderr, options = []] of cases)
    for (const form of ['json', 'spec', 'xenstore', 'argv', 'blockdev', 'graph', 'agent']) {
      const text = `name="web"\ntype="hvm"\ndisk=[${disks}]\n`
      const outcome = guest(text, '--offline', '-o', form, ...options)({})
      t.match(outcome, { status: 1, stderr }, `${form} ${disks}`)
      t.equal(outcome.stdout, '', `${form} ${disks}`)
      t.equal(outcome.stderr.match(/^error/gm)?.length, 1, 'it is told once')
    }
  const missing = runWith(['--protect', hub, '--group', 'web', 'vdev=hda,target=/a'])
  t.match(missing, { status: 1, stdout: '', stderr: /error\[not-protectable\]: .*cannot be examined/ })
  const directory = runWith(['--protect', hub, '--group', 'web', 'vdev=hda,target=/a'], { targets: { '/a': 'dir' } })
  t.match(directory, { status: 1, stdout: '', stderr: /no file and no block device/ })
  t.end()
})

t.test("the group is the guest's name, if it can be one", t => {
  const file = (head: string, ...options: string[]) =>
    guest(`${head}type="hvm"\ndisk=["vdev=hda,target=/a"]\n`, '--offline', '-ospec', ...options)({})
  t.match(file('name="db.1"\n').stdout, '/db.1/hda?socket=/run/repagent/db.1.hda.sock')
  t.match(file('name="db.1"\n', '--group', 'web').stdout, '/web/hda?')
  t.match(file('name="a b"\n', '--group', 'web').stdout, '/web/hda?')
  for (const name of ['"a b"', '"../x"', `"${'x'.repeat(65)}"`, '"-x"', '[ "web" ]'])
    t.match(
      file(`name=${name}\n`),
      { status: 1, stdout: '', stderr: /^error\[config-guest\]: .*\n --> guest\.cfg:1:6\n(.*\n)*hint: .*--group NAME/ },
      name,
    )
  t.match(file(''), { status: 2, stdout: '', stderr: /--protect needs --group NAME, as the file has no name=/ })
  t.end()
})

t.test('usage errors say what is wrong', t => {
  const wrong: [args: string[], message: RegExp][] = [
    [['--protect', hub, image], /--protect needs --group NAME/],
    [['--protect', hub, '--group', 'a/b', image], /--group takes 1 to 64 letters/],
    [['--protect', hub, '--group', 'web', '--run', 'x', image], /--run takes an absolute path, not 'x'/],
    [['--group', 'web', image], /--group is for --protect only/],
    [['--run', '/x', image], /--run is for --protect only/],
    [['-oagent', image], /--output agent is for --protect HUB only/],
    [['--protect', hub, '--group', 'web', '-oagent', '-0', image], /--null is for/],
    [['--protect', hub, '--batch'], /--protect has no meaning with --batch/],
    [['--protect', hub, '--list', '--domid=1'], /--protect has no meaning with --list/],
    [['--protect', hub, '--apply', '--domid=1', image], /--protect has no meaning with --apply/],
    ...['', 'hub', 'hub:', ':7900', 'hub:x', 'a b:1', '::1:7900', 'hub:7900:1', 'h\udcff:1', 'x/y', '/\udcff'].map(
      (text): [string[], RegExp] => [
        [`--protect=${text}`, '--group=web', image],
        /--protect takes HOST:PORT or a sock/,
      ],
    ),
    [['--protect=hub:0', '--group=web', image], /a port is from 1 to 65535/],
    [['--protect=hub:65536', '--group=web', image], /a port is from 1 to 65535/],
    [[`--protect=/${'x'.repeat(107)}`, '--group=web', image], /more than 107 bytes/],
  ]
  for (const [args, message] of wrong)
    t.match(runWith(args), { status: 2, stdout: '', stderr: message }, args.join(' '))
  t.end()
})

const agentOf = (args: string[], world: World = {}) => {
  const { status, stdout, stderr } = runWith(['-oagent', '--offline', ...args], world)
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^[^\u007f-\u009f\u2028\u2029\u202e\ufeff\ufffe\uffff]*$/)
  return readAgentConfig(stdout, 'agent.yaml')
}

t.test('an agent reads the hub that was meant', t => {
  for (const [given, address] of [
    ['hub:1', { host: 'hub', port: 1 }],
    ['hub:000080', { host: 'hub', port: 80 }],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65535 }],
    ['[::1]:7900', { host: '::1', port: 7900 }],
    ['[fe80::1%eth0]:7900', { host: 'fe80::1%eth0', port: 7900 }],
    ['#"x\':7900', { host: '#"x\'', port: 7900 }],
    ['/run/hub.sock', { path: '/run/hub.sock' }],
    ['/a: b #c"\n\'', { path: '/a: b #c"\n\'' }],
  ] as const)
    t.strictSame(agentOf(['--protect', given, '--group=web', 'vdev=hda,target=/a']).hub, address, given)
  for (const [hostname, name] of [
    ['anna', 'anna'],
    ['1e3', '1e3'],
    ['no', 'no'],
    ['-x', 'agent'],
    ['', 'agent'],
  ] as const)
    t.equal(agentOf(['--protect', hub, '--group=web', 'vdev=hda,target=/a'], { hostname }).name, name)
  t.end()
})

t.test('an agent reads the images that were meant, whatever they are called', t => {
  const images = [
    '/a b',
    '/#x',
    '/a: b',
    '/"\'\\',
    '/- [x]',
    '/\n---\n',
    '/\t\r',
    '/é\u{1f600}',
    '/&a *a !a |',
    '/{}%@`',
  ]
  images.push(
    '/\u0085\u2028\u2029\ufeff',
    '/\ufffe\uffff',
    '/\u{1fffe}',
    '/\u202e',
    '/\u0001\u007f\u009b',
    '/null',
    '/~',
  )
  /** A spec of such a target: one with a line feed can only stand first. */
  const specOf = (path: string) =>
    path.includes('\n') ? `${path.replaceAll(/[,=]/g, ';')},raw,hda,w` : `vdev=hda,target=${path}`
  const reads = (name: string) => {
    const spec = specOf(`/x${name}.img`)
    const image = parseDisk(spec).pdevPath!
    const { groups } = agentOf(['--protect', hub, '--group=web', spec])
    const { web } = groups
    assert.deepEqual(web?.disks, { hda: { image, format: 'raw' } })
    return image
  }
  const agent = (...args: string[]) => agentOf(['--protect', hub, ...args, 'vdev=hda,target=/a'])
  for (const [index, path] of images.entries()) {
    t.ok(reads(path) === `/x${path}.img`, `image ${index}`)
    t.ok(agent('--group=web', `--run=${path}`).run === path, `folder ${index}`)
  }
  for (const group of ['null', 'true', '1', '1e3', '0x1f', 'y', '12.5', 'constructor'])
    t.strictSame(Object.keys(agent(`--group=${group}`).groups), [group])
  const anyName = fc
    .array(fc.oneof(fc.constantFrom(...images), fc.string({ unit: 'binary' })), { maxLength: 6 })
    .map(parts => parts.join('').toWellFormed().replaceAll('\0', ''))
  let lines = 0
  fc.assert(
    fc.property(anyName, name => {
      if (reads(name).includes('\n')) lines++
    }),
    { numRuns: 1000 },
  )
  t.ok(lines > 50, `${lines} with a line feed`)
  t.end()
})

t.test('a name that is no text is refused', t => {
  t.match(protect('-oagent', 'vdev=hda,target=/a\udcff'), { status: 1, stdout: '', stderr: /no UTF-8/ })
  t.end()
})
