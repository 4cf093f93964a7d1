import { hostname } from 'node:os'
import t from 'tap'
import type { Command } from '#xenlight/xl-remus/command.js'
import { readCommand } from '#xenlight/xl-remus/read-command.js'
import { runWith } from './run-with.js'

const create = ['create', '/d', '--pair-file', '/p']
const serve = ['serve', '/d', '--pair-file', '/p', '--listen', '10.0.0.1:7800', '--nbd', '/n', '--control', '/c']
const leased = [...serve, '--lease', 'web', '--etcd', 'http://10.0.0.1:2379,http://10.0.0.2:2379']
const of = (verb: string) => [verb, '--control', '/c']

const understood: [args: string[], command: object][] = [
  [create, { kind: 'create', data: '/d', pairFile: '/p', size: undefined, logSize: undefined, meta: undefined }],
  [[...create, '--size', '20G', '--log-size', '64M'], { size: 20 * 2 ** 30, logSize: 64 * 2 ** 20 }],
  [[...create, '--size', '512'], { size: 512 }],
  [[...create, '--size', '8T'], { size: 2 ** 43 }],
  [[...create, '--meta', '/m', '--log', '/l'], { meta: '/m', log: '/l' }],
  [['create', '--pair-file', '/p', '--', '-d'], { data: '-d' }],
  [
    serve,
    {
      kind: 'serve',
      data: '/d',
      peer: { listen: { host: '10.0.0.1', port: 7800 } },
      nbd: '/n',
      control: '/c',
      name: 'disk',
      tls: undefined,
      afterSplitBrain: 'disconnect',
      acknowledgeFromMemory: false,
      deadAfter: undefined,
      json: false,
    },
  ],
  [
    ['serve', '/d', '--pair-file', '/p', '--connect', '[fe80::1]:1', '--nbd', '/n', '--control', '/c'],
    { peer: { connect: { host: 'fe80::1', port: 1 } } },
  ],
  [
    ['serve', '/d', '--pair-file', '/p', '--connect', './peer:1', '--nbd', '/n', '--control', '/c'],
    { peer: { connect: { path: './peer:1' } } },
  ],
  [[...serve, '--name', 'a b', '--tls', '/t', '--json'], { name: 'a b', tls: '/t', json: true }],
  [[...serve, '--metrics', '[::1]:9872'], { metrics: { host: '::1', port: 9872 } }],
  [[...serve, '--after-split-brain', 'discard-secondary'], { afterSplitBrain: 'discard-secondary' }],
  [[...serve, '--ack-from-memory', '--dead-after', '100ms'], { acknowledgeFromMemory: true, deadAfter: 100 }],
  [[...serve, '--dead-after', '60m'], { deadAfter: 3_600_000 }],
  [serve, { lease: undefined }],
  [
    [...leased, '--etcd', 'http://h:1', '--node', 'anna'],
    {
      lease: {
        ...{ name: 'web', ttl: 10_000, tls: undefined, node: 'anna' },
        endpoints: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379', 'http://h:1'],
      },
    },
  ],
  [[...leased, '--lease-ttl', '3s'], { lease: { ttl: 3000, node: hostname() } }],
  [
    ['pairs', '--etcd', 'https://h:1', '--etcd-tls', '/t', '--json', '--timeout', '2s'],
    { kind: 'pairs', endpoints: ['https://h:1'], tls: '/t', json: true, timeout: 2000 },
  ],
  [of('status'), { kind: 'status', control: '/c', watch: false, json: false, timeout: undefined }],
  [[...of('status'), '--watch', '--json', '--timeout', '3s'], { watch: true, json: true, timeout: 3000 }],
  [of('checkpoint'), { kind: 'checkpoint', switch: undefined }],
  [[...of('checkpoint'), 'on'], { switch: 'on' }],
  [['checkpoint', 'off', '--control', '/c'], { switch: 'off' }],
  [of('promote'), { kind: 'promote', two: false, force: false }],
  [[...of('promote'), '--two', '--force'], { two: true, force: true }],
  [[...of('promote'), '--force-lease', 'it burnt down'], { kind: 'promote', forceLease: 'it burnt down' }],
  [[...of('demote'), '--force'], { kind: 'demote', force: true }],
  [[...of('resync'), '--discard'], { kind: 'resync', discard: true }],
  [[...of('status'), '--control', '/other'], { control: '/other' }],
  [['--help', 'nonsense'], { kind: 'help' }],
  [['-V'], { kind: 'version' }],
  [['--completion', 'fish'], { kind: 'completion', shell: 'fish' }],
]

for (const [args, wanted] of understood)
  t.test(`xl-remus ${args.join(' ')}`, async t => {
    t.match(readCommand(args) as Command, wanted)
  })

const refused: [args: string[], message: RegExp][] = [
  [[], /what is to be done\? Write one of .*create, serve, status/],
  [[''], /there is no ''/],
  [['promot'], /did you mean promote\?/],
  [['create', '--pair-file', '/p'], /create takes one word, not 0: DISK/],
  [['create', '', '--pair-file', '/p'], /create takes one word, not 1: DISK/],
  [[...create, '/e'], /create takes one word, not 2: DISK/],
  [['create', '/d'], /create needs --pair-file FILE: which pair is it of\?/],
  [[...create, '--size', '0'], /--size takes bytes, a multiple of 512/],
  [[...create, '--size', '513'], /a multiple of 512 up to 8T, such as 64M or 20G, not '513'/],
  [[...create, '--size', '1.5G'], /--size takes bytes/],
  [[...create, '--size', '-1G'], /--size takes bytes/],
  [[...create, '--size', '9T'], /up to 8T/],
  [[...create, '--log-size', '63M'], /--log-size is 64M at least/],
  [[...create, '--nbd', '/n'], /--nbd has no meaning with create \(it is for serve\)/],
  [serve.slice(0, 4), /one of --listen and --connect/],
  [[...serve, '--connect', '10.0.0.2:1'], /one node of a pair listens, the other connects/],
  [[...serve, '--listen', 'h:0'], /port 0: a port is from 1 to 65535/],
  [[...serve, '--listen', ''], /--listen has an empty socket/],
  [[...serve, '--nbd', ''], /serve needs --nbd SOCK: where does QEMU find the disk\?/],
  [[...serve, '--control', ''], /serve needs --control SOCK/],
  [[...serve, '--name', ''], /--name takes 1 to 4096 bytes/],
  [[...serve, '--name', 'x'.repeat(4097)], /--name takes 1 to 4096 bytes/],
  [[...serve, '--dead-after', '99ms'], /--dead-after takes a time from 100ms to 60m/],
  [[...serve, '--dead-after', '61m'], /--dead-after takes a time from 100ms to 60m/],
  [[...serve, '--dead-after', '6'], /--dead-after takes a time .*, not '6'/],
  [[...serve, '--after-split-brain', 'pray'], /takes one of disconnect, discard-secondary, not 'pray'/],
  [[...serve, '--size', '1M'], /--size has no meaning with serve/],
  [[...serve, '--watch'], /--watch has no meaning with serve \(it is for status\)/],
  [[...serve, '--etcd', 'http://h:1'], /--etcd, --etcd-tls and --lease-ttl need --lease NAME/],
  [[...serve, '--node', 'anna'], /--node needs --lease NAME/],
  [[...serve, '--lease', 'web'], /--lease needs --etcd URL/],
  [[...leased, '--node', 'a b'], /--node takes a name of letters, .*, not 'a b'/],
  [[...leased, '--arbiter', '/a'], /--lease is an arbiter itself: leave --arbiter out/],
  [[...leased, '--lease-ttl', '1s'], /--lease-ttl takes a time from 2s to 60m/],
  [['pairs'], /pairs needs --etcd URL,URL…: who is asked\?/],
  [['pairs', 'x', '--etcd', 'http://h:1'], /pairs takes options only, but was given 'x'/],
  [['pairs', '--etcd', 'h:1'], /--etcd takes URLs/],
  [[...of('promote'), '--force-lease', ' '], /--force-lease takes a reason of 1 to 500 characters/],
  [[...of('promote'), '--force-lease', 'x'.repeat(501)], /--force-lease takes a reason of 1 to 500 characters/],
  [[...of('promote'), '--force-lease', 'x', '--number', '3'], /--force-lease goes with none of --two/],
  [['status'], /status needs --control SOCK: over which socket is the node controlled\?/],
  [['status', 'x', '--control', '/c'], /status takes options only, but was given 'x'/],
  [[...of('status'), '--force'], /--force has no meaning with status \(it is for promote, demote\)/],
  [[...of('status'), '--timeout', '0s'], /--timeout takes a time/],
  [[...of('checkpoint'), 'maybe'], /checkpoint takes on, off or nothing, not 'maybe'/],
  [[...of('checkpoint'), 'on', 'off'], /checkpoint takes options only, but was given 'off'/],
  [[...of('demote'), '--two'], /--two has no meaning with demote/],
  [[...of('resync'), '--discrad'], /did you mean --discard\?/],
  [['--completion', 'zhs'], /did you mean zsh\?/],
]

for (const [args, message] of refused)
  t.test(`refused: xl-remus ${args.join(' ').slice(0, 200)}`, async t => {
    const { status, stdout, stderr } = await runWith(args)
    t.match({ status, stdout, stderr }, { status: 64, stdout: '', stderr: message })
    t.match(stderr, /\nTry 'xl-remus --help'\.\n$/)
  })

t.test('what is shown of a command line is safe to show', async t => {
  const { stderr } = await runWith(['\x1b[2J\u202e'])
  t.match(stderr, "there is no '␛[2J\ufffd'")
})
