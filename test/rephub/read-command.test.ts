import { resolve } from 'node:path'
import t from 'tap'
import { readCommand } from '#xenlight/rephub/read-command.js'
import { runWith } from './run-with.js'

const now = Date.UTC(2026, 10, 27, 12)
const control = '/run/rephub/control.sock'

const understood: [args: string[], command: object][] = [
  [['serve', '--data', '/d'], { kind: 'serve', config: undefined, given: { data: '/d' }, takeOver: false }],
  [['serve', '--config', '/c'], { config: '/c', given: {}, metrics: undefined }],
  [
    ['serve', '--data', '/d', '--page', '9874', '--page-token', '/t'],
    {
      page: {
        address: { host: '127.0.0.1', port: 9874 },
        token: '/t',
        tls: undefined,
        host: undefined,
        control: false,
      },
    },
  ],
  [
    ['serve', '--data', '/d', '--page', '/p', '--page-token', 't', '--page-tls=/c', '--page-host=h', '--page-control'],
    { page: { address: { path: '/p' }, token: 't', tls: '/c', host: 'h', control: true } },
  ],
  [['serve', '--data', '/d', '--metrics', '0.0.0.0:9870'], { metrics: { host: '0.0.0.0', port: 9870 } }],
  [
    ['serve', '--data', 'd', '--listen', '0.0.0.0:1', '--nbd', './n', '--tls', '/t', '--control', '/s', '--take-over'],
    {
      given: { data: resolve('d'), listen: '0.0.0.0:1', nbd: resolve('n'), tls: '/t', control: '/s' },
      takeOver: true,
    },
  ],
  [
    ['serve', '--data', '/d', '--lease', 'copies', '--etcd', 'http://a:2379,http://b:2379', '--etcd', 'http://c:2379'],
    {
      lease: {
        name: 'copies',
        endpoints: ['http://a:2379', 'http://b:2379', 'http://c:2379'],
        tls: undefined,
        ttl: 10_000,
      },
    },
  ],
  [
    ['hubs', '--etcd', 'https://a', '--etcd-tls', '/t', '--json'],
    { kind: 'hubs', endpoints: ['https://a'], tls: '/t', json: true },
  ],
  [['status'], { kind: 'status', group: undefined, watch: false, json: false, timeout: undefined, control }],
  [['status', 'web', '--watch', '--json', '--control', '/s'], { group: 'web', watch: true, json: true, control: '/s' }],
  [['points', 'web'], { kind: 'points', group: 'web', every: undefined, from: undefined, to: undefined }],
  [
    ['points', 'web', '--every', '10s', '--from', '1m-ago', '--to', '2026-11-27T12:00:00Z'],
    { every: 10_000_000, from: (now - 60_000) * 1000, to: now * 1000 },
  ],
  [['test', 'web'], { kind: 'test', group: 'web', branch: undefined, at: { newest: true }, form: 'url' }],
  [['test', 'web', '--at', '3s-ago', '--form', 'spec'], { at: { time: (now - 3000) * 1000 }, form: 'spec' }],
  [['failover', 'web', '--at', '#12', '--branch', 'b', '--json'], { at: { position: 12 }, branch: 'b', form: 'json' }],
  [['arguments', 'web'], { kind: 'arguments', branch: undefined, form: 'url' }],
  [['arguments', 'web', 'b', '--form', 'blockdev'], { branch: 'b', form: 'blockdev' }],
  [
    ['read', 'web', 'root', '--offset', '0', '--length', '64K'],
    {
      ...{ kind: 'read', group: 'web', volume: 'root', offset: 0, length: 65_536 },
      ...{ branch: undefined, force: false, timeout: undefined, control },
    },
  ],
  [
    ['read', 'web', 'root', '--branch', 'b', '--force', '--offset', '2G', '--length', '1'],
    { branch: 'b', force: true, offset: 2 * 1024 ** 3, length: 1 },
  ],
  [['write', 'web', 'root', '--offset', '512'], { kind: 'write', group: 'web', volume: 'root', offset: 512 }],
  [['commit', 'web', 'b'], { kind: 'commit', group: 'web', branch: 'b' }],
  [['discard', 'web', 'b'], { kind: 'discard', group: 'web', branch: 'b' }],
  [['failback', 'web'], { kind: 'failback', agent: undefined, now: false }],
  [['failback', 'web', '--now'], { now: true }],
  [['failback', 'web', '--agent', 'anna', '--timeout', '1m'], { agent: 'anna', timeout: 60_000 }],
  [['hold', 'web'], { kind: 'hold', group: 'web' }],
  [['release', 'web', '--control', '/s'], { kind: 'release', control: '/s' }],
  [['serve', '--data', '/d', '--state-files', '/s'], { stateFiles: '/s' }],
  [['checkpoint', 'web', 'v1'], { kind: 'checkpoint', group: 'web', name: 'v1' }],
  [['--help'], { kind: 'help' }],
]

for (const [args, wanted] of understood)
  t.test(`rephub ${args.join(' ')}`, async t => {
    t.match(readCommand(args, now), wanted)
  })

const refused: [args: string[], message: RegExp][] = [
  [[], /Write one of serve, status, points, test, failover/],
  [['fialover'], /did you mean failover\?/],
  [['serve'], /serve needs --data DIR or --config FILE/],
  [['serve', '/d'], /serve takes options only/],
  [['serve', '--data', '/d', '--listen', 'here'], /--listen takes HOST:PORT or a socket's path/],
  [['serve', '--data', '/d', '--nbd', 'h:70000'], /--nbd has the port 70000/],
  [['serve', '--data', ''], /--data is empty/],
  [['serve', '--data', '/d', '--page', '9874'], /--page needs --page-token FILE/],
  [['serve', '--data', '/d', '--page-token', '/t'], /--page-token is for --page only/],
  [['serve', '--data', '/d', '--page-control'], /--page-control is for --page only/],
  [['serve', '--data', '/d', '--lease', 'copies'], /--lease needs --etcd/],
  [['serve', '--data', '/d', '--etcd', 'http://a:2379'], /need --lease NAME/],
  [
    ['serve', '--data', '/d', '--lease', 'a', '--etcd', 'http://a:2379', '--lease-ttl', '1s'],
    /--lease-ttl takes a time/,
  ],
  [['serve', '--data', '/d', '--take-over', '--lease', 'a', '--etcd', 'http://a:2379'], /--take-over has no meaning/],
  [['hubs'], /hubs needs --etcd URL/],
  [['hubs', 'web', '--etcd', 'http://a:2379'], /hubs takes options only/],
  [['hubs', '--etcd', 'http://a:2379', '--lease', 'a'], /--lease has no meaning with hubs/],
  [['points'], /points takes GROUP, but was given none/],
  [['points', 'web', '--from', 'before-upgrade'], /--from takes a time .* or how long ago/],
  [['points', 'web', '--to', '#3'], /--to takes a time/],
  [['points', 'web', '--every', '0'], /--every takes a time/],
  [['test', 'web', 'b'], /test takes GROUP, but was given 'web' 'b'/],
  [['test', 'web', '--at', 'a b'], /--at takes a time .*, not 'a b'/],
  [['test', 'web', '--branch', '-x'], /--branch takes a name/],
  [['test', 'web', '--form', 'yaml'], /--form takes one of url, blockdev, spec, json/],
  [['test', '../web'], /GROUP takes a name/],
  [['arguments', 'web', 'b', 'c'], /arguments takes GROUP \[BRANCH\]/],
  [['read', 'web', '--offset', '0', '--length', '1'], /read takes GROUP VOLUME, but was given 'web'/],
  [['read', 'web', 'root', '--length', '1'], /read needs --offset BYTES/],
  [['read', 'web', 'root', '--offset', '0'], /read needs --length BYTES/],
  [['read', 'web', 'root', '--offset', '-1', '--length', '1'], /--offset takes a number of bytes, .* not '-1'/],
  [['read', 'web', 'root', '--offset', '0', '--length', '0'], /--length takes a number of bytes, .* not '0'/],
  [['read', 'web', '../root', '--offset', '0', '--length', '1'], /VOLUME takes a name/],
  [['write', 'web', 'root'], /write needs --offset BYTES/],
  [['write', 'web', 'root', '--offset', '0', '--branch', 'b'], /--branch has no meaning with write/],
  [['write', 'web', 'root', '--offset', '0', '--length', '5'], /--length has no meaning with write/],
  [['commit', 'web'], /commit takes GROUP BRANCH/],
  [['discard', 'web', '/b'], /BRANCH takes a name/],
  [['failback', 'web', '--branch', 'b'], /--branch has no meaning with failback \(it is for test, failover, read\)/],
  [['failback', 'web', '--agent', ''], /--agent takes a name/],
  [['commit', 'web', 'b', '--json'], /--json has no meaning with commit/],
]

for (const [args, message] of refused)
  t.test(`refused: rephub ${args.join(' ')}`, async t => {
    const { status, stdout, stderr } = await runWith(args)
    t.match({ status, stdout, stderr }, { status: 64, stdout: '', stderr: message })
    t.match(stderr, /\nTry 'rephub --help'\.\n$/)
  })
