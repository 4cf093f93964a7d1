import { resolve } from 'node:path'
import t from 'tap'
import { readCommand } from '#xenlight/repagent/read-command.js'
import { ownName } from '#xenlight/replication-command/own-name.js'
import { runWith } from './run-with.js'

const protect = ['protect', 'web', 'root=/i/root', '--hub', '10.0.0.2:7900']
const control = '/run/repagent/control.sock'

const understood: [args: string[], command: object][] = [
  [['serve', '--config', '/c'], { kind: 'serve', config: '/c', control: undefined, json: false }],
  [['serve', '--config', '/c', '--metrics', '9871'], { metrics: { host: '127.0.0.1', port: 9871 } }],
  [['serve', '--config', '/c', '--control', '/s', '--json'], { control: '/s', json: true }],
  [
    protect,
    {
      kind: 'protect',
      group: 'web',
      protected: { way: 'inline', disks: { root: { image: '/i/root', format: 'raw' } } },
      hubMay: undefined,
      target: undefined,
      hub: '10.0.0.2:7900',
      state: '/var/lib/repagent',
      run: '/run/repagent',
      tls: undefined,
      control,
      json: false,
    },
  ],
  [
    [...protect, 'data=a=b.qcow2', '--name', 'anna'],
    { name: 'anna', protected: { disks: { data: { image: resolve('a=b.qcow2'), format: 'raw' } } } },
  ],
  [[...protect, '--qcow2'], { protected: { disks: { root: { format: 'qcow2' } } } }],
  [[...protect, '--run', '/r', '--state', 's', '--tls', '/t'], { control: '/r/control.sock', state: resolve('s') }],
  [[...protect, '--run', '/r', '--control', '/c'], { control: '/c', run: '/r' }],
  [[...protect, '--metrics', './m'], { metrics: { path: './m' } }],
  [[...protect, '--hub', './h'], { hub: './h' }],
  [[...protect, '--hub', '[::1]:1'], { hub: '[::1]:1' }],
  [[...protect, '--target', '500ms', '--hub-may', 'read'], { target: '500ms', hubMay: ['read'] }],
  [[...protect, '--hub-may', 'write', '--hub-may', 'control'], { hubMay: ['control', 'write'] }],
  [[...protect, '--hub-may', 'none'], { hubMay: [] }],
  [
    [...protect, '--qmp', 'm', '--every', '5s'],
    { protected: { way: 'cycles', qmp: resolve('m'), every: '5s', disks: { root: { node: '/i/root' } } } },
  ],
  [['status'], { kind: 'status', group: undefined, watch: false, json: false, timeout: undefined, control }],
  [['status', 'web', '--watch', '--json', '--timeout', '2s'], { group: 'web', watch: true, json: true, timeout: 2000 }],
  [['pause', 'web'], { kind: 'pause', group: 'web' }],
  [['resume', 'web', '--control', '/c'], { kind: 'resume', control: '/c' }],
  [['stop', 'web'], { kind: 'stop' }],
  [['start', 'web'], { kind: 'start' }],
  [['hold', 'web'], { kind: 'hold', group: 'web' }],
  [['release', 'web'], { kind: 'release', group: 'web' }],
  [['serve', '--config', '/c', '--state-files', '/s'], { stateFiles: '/s' }],
  [[...protect, '--state-files', '/s'], { stateFiles: '/s' }],
  [['checkpoint', 'web', 'v1.2'], { kind: 'checkpoint', group: 'web', name: 'v1.2' }],
  [['header', 'i', '/h'], { kind: 'header', image: 'i', header: '/h', node: 'disk', json: false }],
  [['header', 'i', 'h', 'root', '--json'], { node: 'root', json: true }],
  [['--help', 'nonsense'], { kind: 'help' }],
  [['-V'], { kind: 'version' }],
  [['--completion', 'fish'], { kind: 'completion', shell: 'fish' }],
]

for (const [args, wanted] of understood)
  t.test(`repagent ${args.join(' ')}`, async t => {
    t.match(readCommand(args), wanted)
  })

const refused: [args: string[], message: RegExp][] = [
  [[], /what is to be done\? Write one of serve, protect, status/],
  [['protct'], /did you mean protect\?/],
  [['serve'], /serve needs --config FILE/],
  [['serve', 'x', '--config', '/c'], /serve takes options only, but was given 'x'/],
  [['serve', '--config', '/c', '--metrics', ''], /--metrics takes PORT, HOST:PORT or a socket's path/],
  [['serve', '--config', '/c', '--metrics', ':9871'], /--metrics takes PORT, HOST:PORT .*, not ':9871'/],
  [['serve', '--config', '/c', '--metrics', '0'], /--metrics has the port 0: a port is from 1 to 65535/],
  [['serve', '--config', '/c', '--metrics', '70000'], /--metrics has the port 70000/],
  [['status', '--metrics', '9871'], /--metrics has no meaning with status \(it is for serve, protect\)/],
  [['serve', '--config', ''], /--config is empty/],
  [['header', 'i'], /header takes IMAGE HEADER \[NODE\], but was given 'i'/],
  [['header', 'i', ''], /names of two files, and one is empty/],
  [['header', 'i', 'h', '--control', '/c'], /--control has no meaning with header/],
  [['serve', '--config', '/c', '--hub', 'h:1'], /--hub has no meaning with serve \(it is for protect\)/],
  [['protect', 'web', '--hub', 'h:1'], /protect takes GROUP DISK=IMAGE…, but was given 'web'/],
  [['protect', '--hub', 'h:1'], /but was given none/],
  [['protect', 'web', 'root=/i'], /protect needs --hub ADDR/],
  [['protect', '-', 'root=/i', '--hub', 'h:1'], /GROUP takes a name of 1 to 64 letters.*not '-'/],
  [['protect', 'web', '/i', '--hub', 'h:1'], /disks as DISK=IMAGE, such as root=\/srv\/web\.img, not '\/i'/],
  [['protect', 'web', 'root=', '--hub', 'h:1'], /not 'root='/],
  [['protect', 'web', '../x=/i', '--hub', 'h:1'], /DISK takes a name .*not '\.\.\/x'/],
  [[...protect, 'root=/other'], /there are two disks root/],
  [[...protect, '--hub', 'host'], /--hub takes HOST:PORT or a socket's path/],
  [[...protect, '--hub', 'h:0'], /--hub has the port 0/],
  [[...protect, '--name', 'a b'], /--name takes a name/],
  [[...protect, '--state', ''], /--state is empty/],
  [[...protect, '--every', '1s'], /--every is for cycles, with --qmp/],
  [[...protect, '--qmp', '/m', '--every', '1'], /--every takes a time .*not '1'/],
  [[...protect, '--qmp', '/m', '--qcow2'], /--qcow2 has no meaning with --qmp/],
  [[...protect, '--qmp', ''], /--qmp is empty/],
  [['protect', 'web', 'drive0', '--qmp', '/m', '--hub', 'h:1'], /disks as DISK=NODE with --qmp.*not 'drive0'/],
  [[...protect, '--target', 'soon'], /--target takes a time .*not 'soon'/],
  [[...protect, '--hub-may', 'reed'], /--hub-may takes one of none, control.*did you mean read\?/],
  [[...protect, '--hub-may', 'none', '--hub-may', 'read'], /--hub-may is none and read: write one or the other/],
  [[...protect, '--watch'], /--watch has no meaning with protect/],
  [['status', 'a', 'b'], /status takes \[GROUP\], but was given 'a' 'b'/],
  [['status', ''], /GROUP takes a name/],
  [['pause'], /pause takes GROUP, but was given none/],
  [['pause', 'a', 'b'], /pause takes GROUP, but was given 'a' 'b'/],
  [['checkpoint', 'web'], /checkpoint takes GROUP NAME/],
  [['checkpoint', 'web', '../x'], /NAME takes a name/],
  [['status', '--timeout', '0s'], /--timeout takes a time/],
  [['stop', 'web', '--qcow2'], /--qcow2 has no meaning with stop/],
]

for (const [args, message] of refused)
  t.test(`refused: repagent ${args.join(' ')}`, async t => {
    const { status, stdout, stderr } = await runWith(args)
    t.match({ status, stdout, stderr }, { status: 64, stdout: '', stderr: message })
    t.match(stderr, /\nTry 'repagent --help'\.\n$/)
  })

t.test('what is shown of a command line is safe to show', async t => {
  const { stderr } = await runWith(['pause', '\x1b[2J\u202e'])
  t.match(stderr, "not '␛[2J\ufffd'")
})

t.test("the agent's own name is the machine's, as far as it can be one", async t => {
  for (const [host, name] of [
    ['anna', 'anna'],
    ['anna.example.org', 'anna.example.org'],
    ['-a b/c', 'a-b-c'],
    ['é', 'agent'],
    ['x'.repeat(70), 'x'.repeat(64)],
    ['', 'agent'],
  ] as const)
    t.equal(ownName('agent', host), name, host)
})
