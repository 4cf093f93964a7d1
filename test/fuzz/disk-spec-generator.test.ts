import t from 'tap'
import { startLibxlutil } from '../real/libxlutil.js'
import { realPart } from '../support/real-part.js'
import { generateDiskSpecs } from './disk-spec-generator.js'

function take(seed: number, count: number, master = false): string[][] {
  const specs = generateDiskSpecs(seed, { master })
  return Array.from({ length: count }, () => specs.next().value)
}

t.test('the seed decides', async t => {
  t.strictSame(take(7, 500), take(7, 500))
  t.notSame(take(7, 500), take(8, 500))
})

t.test('what 4.17 reads otherwise is written for master only', async t => {
  const masterOnly = /trusted|grant_usage/
  t.notOk(
    take(1, 20_000)
      .flat()
      .some(word => masterOnly.test(word)),
  )
  t.ok(
    take(1, 1000, true)
      .flat()
      .some(word => masterOnly.test(word)),
  )
})

const everyMessage = [
  'bad disk syntax',
  'no target specified (and device not removable)',
  'no vdev specified',
  'too many positional parameters',
  'unknown deprecated disk prefix',
  'unknown deprecated type',
  'unknown parameter',
  'unknown value for access',
  'unknown value for backendtype',
  'unknown value for colo_port',
  'unknown value for format',
  'unknown value for specification',
  'unknown value for type',
  ...[
    'active-disk',
    'backend',
    'colo-export',
    'colo-host',
    'format',
    'hidden-disk',
    'script',
    'specification',
    'target',
    'vdev',
  ].map(what => `${what} respecified`),
]

const everyValue = [
  ...['qcow', 'qcow2', 'vhd', 'raw', 'empty', 'qed'].map(format => `"format": "${format}"`),
  ...['phy', 'tap', 'qdisk', 'standalone'].map(backend => `"backend": "${backend}"`),
  ...['xen', 'virtio'].map(specification => `"specification": "${specification}"`),
  ...['backend_domname', 'script', 'removable', 'readwrite', 'is_cdrom', 'direct_io_safe', 'colo_host', 'colo_port'],
  ...['colo_export', 'active_disk', 'hidden_disk'],
  ...['discard_enable', 'colo_enable'].flatMap(key => [`"${key}": "True"`, `"${key}": "False"`]),
]

t.test('libxlutil answers 20,000 of them with all that it can say', async t => {
  const libxlutil = await realPart(t, () => startLibxlutil())
  if (!libxlutil) return
  using _ = libxlutil
  const answers = await libxlutil.disks(take(1, 20_000).map(words => words.map(word => Buffer.from(word, 'latin1'))))
  const said = answers.map(answer => (answer === 'crash' ? '' : `${answer.json ?? answer.report}`)).join('')
  for (const what of [...everyMessage, ...everyValue]) t.ok(said.includes(what), what)
})
