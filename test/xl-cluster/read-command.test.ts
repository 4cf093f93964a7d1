import t from 'tap'
import { readCommand } from '#xenlight/xl-cluster/read-command.js'

for (const [line, command] of [
  ['install', { kind: 'install', folder: '/usr/lib/ocf/resource.d/xenlight' }],
  ['install /tmp/agents', { kind: 'install', folder: '/tmp/agents' }],
  ['force web anna --reason new', { kind: 'force', resource: 'web', node: 'anna', reason: 'new' }],
  ['ocf remus start', { kind: 'ocf', type: 'remus', action: 'start' }],
  ['arbiter alone 3002', { kind: 'arbiter', question: 'alone' }],
  ['arbiter equal 3002', { kind: 'arbiter', question: 'equal' }],
  ['--version', { kind: 'version' }],
] as const)
  t.strictSame(readCommand(line.split(' ')), command, line)

for (const [words, why] of [
  [[], /install, force/],
  [['install', '/a', '/b'], /DIR/],
  [['force', 'web', 'anna'], /--reason/],
  [['force', 'web', 'anna', '--reason', ' '], /--reason/],
  [['force', 'web', 'anna', '--reason', 'ü'], /ASCII/],
  [['force', 'web', 'anna', '--reason', 'x'.repeat(257)], /256/],
  // what goes into XML and into names of the cluster is not taken as it comes
  [['force', "web'/>", 'anna', '--reason', 'x'], /RESOURCE NODE/],
  [['force', 'web', '-v', '--reason', 'x'], /-v/],
  [['force', 'web', 'a"b', '--reason', 'x'], /RESOURCE NODE/],
  [['force', 'web', '--reason', 'x'], /RESOURCE NODE/],
  [['ocf', 'remus'], /TYPE ACTION/],
  [['arbiter', 'maybe', '1'], /alone\|equal/],
  [['arbiter', 'alone', '-1'], /./],
  [['install', '--reason', 'x'], /--reason/],
] as const)
  t.throws(() => readCommand(words), { name: 'UsageError', message: why }, words.join(' '))
