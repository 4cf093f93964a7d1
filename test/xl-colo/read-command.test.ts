import t from 'tap'
import type { Command } from '#xenlight/xl-colo/command.js'
import { readCommand } from '#xenlight/xl-colo/read-command.js'
import { runWith } from './fake-io.js'

const both = ['--primary', '/a', '--secondary', '/b']
const start = ['start', ...both, '--listen', '10.0.0.2:9000']

const understood: [args: string[], command: object][] = [
  [start, { kind: 'start', listen: { host: '10.0.0.2', port: 9000 }, every: undefined, plainNbd: false, json: false }],
  [['reprotect', ...start.slice(1)], { kind: 'start' }],
  [[...start, '--every', '200ms'], { every: 200 }],
  [
    [...start, '--every=1s', '--page', '0.0.0.0:9875', '--page-token', '/t'],
    { page: { address: { host: '0.0.0.0', port: 9875 }, token: '/t', tls: undefined, host: undefined } },
  ],
  [[...start, '--every=1s', '--metrics', '9873'], { metrics: { host: '127.0.0.1', port: 9873 } }],
  [[...start, '--every=1.5s', '--stop-on-exit'], { every: 1500, stopOnExit: true }],
  [[...start, '--every', '2m'], { every: 120_000 }],
  [[...start, '--epoch', '7', '--epoch', '8'], { epoch: 8 }],
  [[...start, '--epoch', '2147483647'], { epoch: 2_147_483_647 }],
  [[...start, '--speed', '50M'], { speed: 50 * 2 ** 20 }],
  [[...start, '--speed', '512'], { speed: 512 }],
  [[...start, '--equal', '--plain-nbd', '--json'], { equal: true, plainNbd: true, json: true }],
  [[...start, '--tls', 'one,two'], { tls: { primary: 'one', secondary: 'two' } }],
  [[...start, '--overlays', '/var/x y'], { overlays: '/var/x y' }],
  [[...start, '--disk', 'a', '--disk', 'b\n'], { ends: { disks: ['a', 'b\n'] } }],
  [[...start, '--records', '/r'], { ends: { records: { primary: '/r', secondary: '/r' } } }],
  [[...start, '--records', '/r,/s'], { ends: { records: { primary: '/r', secondary: '/s' } } }],
  [[...start, '--timeout', '3s'], { ends: { timeout: 3000 } }],
  [[...start, '--listen', '[fe80::1]:1'], { listen: { host: 'fe80::1', port: 1 } }],
  [
    ['stop', '--primary', '/a,/b', '--secondary', 'host:44'],
    {
      kind: 'stop',
      ends: {
        primary: { qmp: { path: '/a' }, urgent: { path: '/b' } },
        secondary: { qmp: { host: 'host', port: 44 } },
      },
    },
  ],
  [['checkpoint', '--primary=/a,,b', '--secondary', 'c'], { ends: { primary: { qmp: { path: '/a,b' } } } }],
  [['checkpoint', '--primary', './h:1', '--secondary', 'c'], { ends: { primary: { qmp: { path: './h:1' } } } }],
  [['status', '--secondary', '/b'], { kind: 'status', watch: false, domain: undefined }],
  [['status', '--domid', '4', '--qmp', '/q', '--watch', '--graph'], { domain: { domid: 4, qmp: { path: '/q' } } }],
  [['failover', '--secondary', '/b', '--force', 'why not', '--resume'], { force: 'why not', resume: true }],
  [['prepare', '20G', 'a', 'h'], { size: 20 * 2 ** 30, active: 'a', hidden: 'h' }],
  [['prepare', '/i.img', 'a', 'h'], { size: { image: '/i.img', format: 'raw' } }],
  [['prepare', '/i.qcow2', 'a', 'h'], { size: { image: '/i.qcow2', format: 'qcow2' } }],
  [['prepare', '/i.qcow2:raw', 'a', 'h'], { size: { image: '/i.qcow2', format: 'raw' } }],
  [['prepare', './512', 'a', 'h'], { size: { image: './512', format: 'raw' } }],
  [['prepare', '--json', '1M', 'a', '--', '-h'], { hidden: '-h', json: true }],
  [['--help', 'nonsense'], { kind: 'help' }],
  [['-V'], { kind: 'version' }],
  [['--completion', 'fish'], { kind: 'completion', shell: 'fish' }],
]

for (const [args, wanted] of understood)
  t.test(`xl-colo ${args.join(' ')}`, async t => {
    t.match(readCommand(args) as Command, wanted)
  })

const refused: [args: string[], message: RegExp][] = [
  [[], /what is to be done\? Write one of start, status/],
  [[''], /there is no ''/],
  [['strat'], /did you mean start\?/],
  [['start', 'now', ...start.slice(1)], /start takes options only, but was given 'now'/],
  [['start', ...both], /needs --listen/],
  [['start', '--secondary', '/b', '--listen', 'h:1'], /needs --primary/],
  [['stop', '--primary', '/a'], /stop needs --secondary/],
  [['failover', '--primary', '/a'], /failover needs --secondary/],
  [['status'], /status needs --primary/],
  [['status', ...both, '--domid', '4'], /two of --primary, --secondary and --domid/],
  [['status', '--qmp', '/q', '--primary', '/a'], /--qmp is for --domid only/],
  [['status', '--domid', '32752'], /--domid takes a number from 0 to 32751/],
  [['status', '--primary', ''], /--primary has an empty socket/],
  [['status', '--primary', '/a,'], /empty socket/],
  [['status', '--primary', '/a,/b,/c'], /one or two sockets, not 3/],
  [['status', '--primary', 'h:0'], /port 0: a port is from 1 to 65535/],
  [['status', '--primary', 'h:65536'], /port 65536/],
  [['status', '--primary'], /--primary needs a value: SOCK/],
  [['status', '--primary', '/a', '--every', '1s'], /--every has no meaning with status \(it is for start, reprotect\)/],
  [[...start, '--force', 'x'], /--force has no meaning with start/],
  [[...start, '--listen', '9000'], /--listen takes HOST:PORT/],
  [[...start, '--listen', '0.0.0.0:9000'], /every address of the machine/],
  [[...start, '--listen', ':9000'], /--listen takes HOST:PORT/],
  [[...start, '--listen', '::1:9000'], /--listen takes HOST:PORT/],
  [[...start, '--every', '0s'], /--every takes a time/],
  [[...start, '--every', '200'], /such as 200ms or 2s, not '200'/],
  [[...start, '--every', '-1s'], /--every takes a time/],
  [[...start, '--every', '99999m'], /--every takes a time/],
  [[...start, '--stop-on-exit'], /--stop-on-exit is for --every only/],
  [[...start, '--metrics', '9873'], /--metrics is for --every only/],
  [[...start, '--page', '9873', '--page-token', '/t'], /--page is for --every only/],
  [[...start, '--every=1s', '--page', '9873'], /--page needs --page-token FILE/],
  [[...start, '--every=1s', '--page', 'x', '--page-token', '/t'], /--page takes PORT, HOST:PORT or a socket's path/],
  [[...start, '--every=1s', '--page-host', 'h'], /--page-host is for --page only/],
  [[...start, '--every=1s', '--page', '9873', '--page-token='], /--page-token is empty/],
  [[...start, '--equal', '--speed', '1M'], /--speed has no meaning with --equal/],
  [[...start, '--equal=yes'], /--equal takes no value/],
  [[...start, '--speed', '0'], /--speed takes bytes a second/],
  [[...start, '--speed', '1.5M'], /--speed takes bytes a second/],
  [[...start, '--speed', '9999999999999999G'], /--speed takes bytes a second/],
  [[...start, '--epoch', '0'], /--epoch takes a number from 1 to 2147483647, not '0'/],
  [[...start, '--epoch', '2147483648'], /--epoch takes a number/],
  [[...start, '--epoch', '1e3'], /--epoch takes a number/],
  [[...start, '--tls', 'one'], /--tls takes the ids of two/],
  [[...start, '--tls', 'one,'], /--tls takes the ids of two/],
  [[...start, '--overlays', ''], /--overlays takes a folder/],
  [[...start, '--records', ''], /--records takes a folder/],
  [[...start, '--records', ',/b'], /--records takes a folder/],
  [[...start, '--disk', 'a', '--disk', 'a'], /--disk names 'a' twice/],
  [[...start, '--disk', ''], /--disk takes a disk's name/],
  [[...start, '--timeout', '0ms'], /--timeout takes a time/],
  [[...start, '--evry', '1s'], /there is no option --evry \(did you mean --every\?\)/],
  [[...start, '-x'], /there is no option -x \(a word that begins with '-' comes after '--'\)/],
  [['failover', '--secondary', '/b', '--force', ' '], /--force takes the reason/],
  [['prepare'], /prepare takes three words, not 0/],
  [['prepare', '1M', 'a'], /three words, not 2/],
  [['prepare', '1M', 'a', 'h', 'x'], /three words, not 4/],
  [['prepare', '1X', 'a', 'h'], /a size such as 512M/],
  [['prepare', '0', 'a', 'h'], /a size such as 512M/],
  [['prepare', '--records', '/r', '1M', 'a', 'h'], /--records has no meaning with prepare/],
  [['--completion', 'zhs'], /did you mean zsh\?/],
]

for (const [args, message] of refused)
  t.test(`refused: xl-colo ${args.join(' ')}`, async t => {
    const { status, stdout, stderr } = await runWith(args)
    t.match({ status, stdout, stderr }, { status: 2, stdout: '', stderr: message })
    t.match(stderr, /\nTry 'xl-colo --help'\.\n$/)
  })

t.test('what is shown of a command line is safe to show', async t => {
  const { stderr } = await runWith(['\x1b[2J\u202e'])
  t.match(stderr, "there is no '␛[2J\ufffd'")
})
