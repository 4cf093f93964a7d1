import t from 'tap'
import { parseDisk, toLibxlJson } from 'xenlight'
import { runWith, type World } from './fake-io.js'

const disk = '/dev/vg/guest,raw,xvda,w'
const json = `disk: ${toLibxlJson(parseDisk(disk))}\n`
const colo =
  'format=qcow2,vdev=hda,access=rw,backendtype=qdisk,colo,colo-host=192.0.2.1,colo-port=9000,colo-export=qdisk1,' +
  'active-disk=/colo/active.img,hidden-disk=/colo/hidden.img,target=/images/guest.qcow2'

interface Case {
  name: string
  args: string[]
  world?: World
  status?: number
  stdout?: string | RegExp
  stderr?: string | RegExp
}

const cases: Case[] = [
  { name: 'JSON is the default', args: [disk], stdout: json },
  {
    name: 'several words make up one disk',
    args: ['vdev=hda', 'target=/x'],
    stdout: /^disk: \{\n {4}"pdev_path": "\/x"/,
  },
  {
    name: 'a refused spec',
    args: ['foo=bar,vdev=hda'],
    status: 1,
    stderr: /^error\[unknown-parameter\]: .*\n *--> spec:1:1\n/,
  },
  {
    name: 'diagnostics as JSON',
    args: ['--diagnostics=json', 'raw:/x,hda'],
    stdout: /"vdev": "hda"/,
    stderr: /^\{"spec":"raw:\/x,hda","severity":"warning","code":"deprecated-prefix",.*"notes":\[\]\}\n$/,
  },
  {
    name: 'a warning is an error if strict',
    args: ['--strict', 'raw:/x,hda'],
    status: 1,
    stderr: /^error\[deprecated-prefix\]/,
  },
  {
    name: 'the canonical spec',
    args: ['-o', 'spec', disk],
    stdout: 'format=raw,vdev=xvda,access=rw,target=/dev/vg/guest\n',
  },
  {
    name: 'a spec with a line feed is no line',
    args: ['-ospec', '/a\nb,raw,xvda'],
    status: 1,
    stderr: /error\[line-feed\]/,
  },
  {
    name: "xenstore's nodes",
    args: ['-o', 'xenstore', '--domid', '7', '--domain-type=pv', disk],
    world: { targets: { '/dev/vg/guest': 'block' } },
    stdout: /^\/libxl\/7\/device\/vbd\/51712 = "" {3}\(n0\)\n(.*\n)*.*protocol = "x86_64-abi" {3}\(n7,r0\)\n/,
  },
  {
    name: 'a target that is not there',
    args: ['-o', 'xenstore', disk],
    status: 1,
    stderr:
      /^error\[ERROR_INVAL\]: Disk vdev=xvda failed to stat: \/dev\/vg\/guest: No such file or directory\n(.*\n)*hint: .*--offline/,
  },
  { name: 'JSON does not look at targets', args: ['/missing,,xvda'], stdout: /"pdev_path": "\/missing"/ },
  { name: 'offline, /dev holds block devices', args: ['-oxenstore', '--offline', disk], stdout: /51712\/type = "phy"/ },
  {
    name: "QEMU's arguments",
    args: ['-oargv', '/images/a.img,,hda'],
    world: { targets: { '/images/a.img': 'file' } },
    stdout: /^-drive\nfile=\/images\/a\.img,if=ide,index=0,/,
  },
  {
    name: 'the primary of a COLO pair',
    args: ['-oargv', '--colo=primary', colo],
    stdout: /^-drive\n.*driver=quorum.*\n/,
  },
  {
    name: 'the secondary of a COLO pair',
    args: ['-oargv', '--colo=secondary', colo],
    stdout: /driver=replication,mode=secondary/,
  },
  { name: 'AHCI', args: ['-oargv', '--offline', '--hdtype', 'ahci', '/a,,hda'], stdout: /^-device\nahci,id=ahci0\n/ },
  { name: 'a stub domain', args: ['-oargv', '--offline', '--stubdom', '/a,,hda'], stdout: /file=\/dev\/xvda,/ },
  {
    name: 'no arguments for a PV guest, but which QEMU serves its qdisks',
    args: ['-oargv', '--offline', '--domid=4', '--domain-type', 'pv', '/a,qcow2,hda'],
    stderr:
      /^warning\[not-emulated\]: QEMU emulates no disks for a guest of type pv\n(.*\n)*hint: .* -xen-domid 4 -xen-attach .*-M xenpv/,
  },
  {
    name: "an older release's arguments",
    args: ['-oargv', '--offline', '--dialect=4.7', '/a,,sda'],
    stdout: /^-drive\nfile=\/a,if=scsi,bus=0,unit=0,format=raw,cache=writeback\n$/,
  },
  {
    name: "libxl's own arguments",
    args: ['-oargv', '--offline', '--libxl-exact', 'vdev=hda,target=nbd:h:1'],
    stdout: /^-drive\nfile=nbd:h:1,if=ide/,
    stderr: /^warning\[network-target\]/,
  },
  {
    name: 'our arguments: no target is a protocol',
    args: ['-oargv', '--offline', 'vdev=hda,target=nbd:h:1'],
    stdout: /^-drive\nfile=\.\/nbd:h:1,if=ide/,
    stderr: /^warning\[network-target\]/,
  },
  {
    name: 'a disk over NBD, which no stat is asked of',
    args: ['-oargv', 'vdev=hda,target=nbd+unix:///x?socket=/s'],
    stdout: /^-drive\nfile=nbd\+unix:\/\/\/x\?socket=\/s,if=ide/,
  },
  {
    name: "a disk over NBD, libxl's way",
    args: ['-oargv', '--libxl-exact', 'vdev=hda,target=nbd+unix:///x?socket=/s'],
    status: 1,
    stderr: /error\[ERROR_INVAL\]: Disk vdev=hda failed to stat/,
  },
  {
    name: 'an argument with a line feed',
    args: ['-oargv', '--colo=secondary', colo.replace('active-disk=', 'active-disk=\n')],
    status: 1,
    stderr: /error\[line-feed\].*\n(.*\n)*hint: with -0 an argument ends with a NUL byte/,
  },
  {
    name: 'arguments that end with a NUL byte',
    args: ['-0', '-oargv', '--colo=secondary', colo.replace('active-disk=', 'active-disk=\n')],
    stdout: /^-drive\0.*\0-drive\0.*,file\.file\.filename=\n.*\0$/,
    stderr: /^warning\[path-control\]/,
  },
  {
    name: 'the -blockdev form, which tells devices from files',
    args: ['-oblockdev', '/dev/a,,hda'],
    world: { targets: { '/dev/a': 'file' } },
    stdout: /^-blockdev\n\{"driver":"raw",.*"file":\{"driver":"file",.*"filename":"\/dev\/a"\}\}\n-device\nide-hd,/,
  },
  {
    name: 'the -blockdev form of a device',
    args: ['-oblockdev', '--offline', '/dev/a,,hda'],
    stdout: /"driver":"host_device"/,
  },
  {
    name: 'the block graph as Mermaid',
    args: ['-ograph', '--colo=secondary', colo],
    stdout: /^flowchart TD\n(.*\n)*.*replication.*\n(.*\n)*.*NBD server/,
  },
  {
    name: 'the block graph as DOT',
    args: ['-o', 'graph-dot', '--colo=primary', colo],
    stdout: /^digraph \{\n(.*\n)*.*quorum/,
  },
  {
    name: 'virtio is for the building of a domain',
    args: ['-oxenstore', '--offline', 'specification=virtio,vdev=xvda,target=/a'],
    status: 1,
    stderr: /error\[ERROR_FAIL\]: Hotplug isn't supported/,
  },
  {
    name: 'an unknown backend domain',
    args: ['-oxenstore', '--offline', `${disk},backend=store`],
    status: 1,
    stderr: /backend domain "store" not found\n(.*\n)*hint: .*--domain NAME=DOMID/,
  },
  {
    name: 'a named backend domain',
    args: ['-oxenstore', '--domain', 'store=3', '--domid=9', `${disk},backend=store`],
    stdout: /\/local\/domain\/3\/backend\/vbd\/9\/51712 = ""/,
  },
  { name: 'help', args: ['--help'], stdout: /^Usage: xl-disk-parse / },
  { name: 'the version', args: ['--version'], stdout: /^xl-disk-parse \d+\.\d+\.\d+/ },
  { name: 'words after -- are no options', args: ['--', '-x,raw,xvda'], stdout: /"pdev_path": "-x"/ },
]

for (const { name, args, world, status = 0, stdout = '', stderr = '' } of cases) {
  t.test(name, async t => {
    const outcome = runWith(args, world)
    t.match(outcome, { stdout, stderr, status })
    if (stdout === '') t.equal(outcome.stdout, '')
    if (stderr === '') t.equal(outcome.stderr, '')
  })
}

t.test('usage errors say what is wrong and what was meant', async t => {
  const wrong: [args: string[], message: RegExp][] = [
    [[], /no SPEC was given/],
    [['--outptu=json', 'x'], /no option --outptu \(did you mean --output\?\)/],
    [['-x,raw,xvda'], /no option -x .* after '--'/],
    [
      ['-o', 'jsno', 'x'],
      /-o takes one of json, spec, xenstore, argv, blockdev, graph, graph-dot, agent, not 'jsno' \(did you mean json\?\)/,
    ],
    [['--output=', 'x'], /--output takes one of /],
    [['x', '--domid'], /--domid needs a value: N/],
    [['x', '-o'], /-o needs a value: json, /],
    [['--strict=yes', 'x'], /--strict takes no value/],
    [['--config', 'f', 'x'], /--config reads its disks from the file/],
    [['--batch', 'x'], /--batch reads its specs from standard input/],
    [['--batch', '-ospec'], /--output has no meaning with --batch/],
    [['-0', 'x'], /--null is for --batch, -o argv and -o blockdev only/],
    [['--dialect=4.7', 'x'], /--dialect is for -o argv only/],
    [['--dialect=4.8', '-oargv', 'x'], /--dialect takes one of 4\.17, master, 4\.7, not '4\.8'/],
    [['--libxl-exact', '-oblockdev', 'x'], /--libxl-exact is for -o argv, --list and --apply only/],
    [['--dry-run', 'x'], /--dry-run is for --apply only/],
    [['--domid', '-1', 'x'], /--domid takes a domain's number from 0 to 32751/],
    [['--domid', '32752', 'x'], /not '32752'/],
    [['--domain', '=3', 'x'], /--domain takes NAME=DOMID/],
    [['--domain', 'a=b', 'x'], /--domain takes a domain's number/],
    [['--completion=tcsh'], /bash, zsh, fish/],
  ]
  for (const [args, message] of wrong) {
    const { status, stdout, stderr } = runWith(args)
    t.match({ status, stdout, stderr }, { status: 2, stdout: '', stderr: message }, args.join(' '))
    t.match(stderr, /^xl-disk-parse: .*\nTry 'xl-disk-parse --help'\.\n$/)
  }
})

t.test('colours are for terminals that want them', async t => {
  const colored = (world: World) => runWith(['foo'], world).stderr.includes('\x1b[')
  t.equal(colored({ terminal: true }), true)
  t.equal(colored({ terminal: false }), false)
  t.equal(colored({ terminal: true, env: { NO_COLOR: '1' } }), false)
  t.equal(colored({ terminal: true, env: { NO_COLOR: '' } }), true)
  t.equal(colored({ terminal: true, env: { TERM: 'dumb' } }), false)
})

t.test('output that cannot be written', async t => {
  t.strictSame(runWith([disk], { failing: { after: 0, code: 'ENOSPC' } }), {
    status: 1,
    stdout: '',
    stderr: 'xl-disk-parse: standard output: No space left on device\n',
  })
  t.strictSame(runWith([disk], { failing: { after: 0, code: 'EPIPE' } }), { status: 141, stdout: '', stderr: '' })
})

t.test('nothing that was given reaches the terminal raw', async t => {
  const words = ['\x1b[31m', '\x07', '\n', '\x9b', '\u202e', '\u061c', '\u2028', '\ufeff', '\udcff']
  for (const word of words)
    for (const args of [[`--${word}`], ['--config', `/none${word}`], ['--domid', word], ['--batch', `a${word}`]]) {
      const { status, stdout, stderr } = runWith(args)
      t.not(status, 0)
      t.equal(stdout, '')
      const told = stderr.replace(/(\nTry 'xl-disk-parse --help'\.)?\n$/, '')
      t.notOk(told.includes(word), `${args.length} words, ${word.codePointAt(0)}`)
    }
})
