import t from 'tap'
import { coloAgent, coloPlaces } from '#xenlight/cluster/colo-agent.js'
import { everyOf } from '#xenlight/cluster/colo-parameters.js'
import { ocfCodes } from '#xenlight/cluster/exit-code.js'
import { readEnvironment } from '#xenlight/cluster/ocf-environment.js'

const needed = {
  ...{ OCF_RESKEY_qemu: '/etc/vm.qemu', OCF_RESKEY_pair_file: '/etc/p', OCF_RESKEY_overlays: '/srv/o' },
  OCF_RESKEY_nodes: 'anna=10.0.0.1:7800 berta=[fd00::2]:7900',
}
const read = (env: Record<string, string> = {}, node = 'anna') =>
  readEnvironment({ ...needed, ...env }, coloAgent.parameters, node)

t.strictSame(coloPlaces(read()), {
  own: { host: '10.0.0.1', port: 7800, nbdPort: 7801 },
  peer: { node: 'berta', host: 'fd00::2', port: 7900, nbdPort: 7901 },
})
t.equal(coloPlaces(read({}, 'berta')).peer.node, 'anna')
t.throws(() => coloPlaces(read({}, 'carla')), { code: ocfCodes.wrongArguments, message: /carla/ })
for (const address of ['h:0', 'h:65535', 'h:123456', '-x y:1', 'h;x:1'])
  t.throws(
    () => coloPlaces(read({ OCF_RESKEY_nodes: `anna=${address} berta=h:1` })),
    { code: ocfCodes.notConfigured },
    address,
  )
for (const name of Object.keys(needed))
  t.throws(() => read({ [name]: '' }), { code: ocfCodes.notConfigured, message: /missing/ }, name)

for (const [text, time] of [
  ['', 1000],
  ['200ms', 200],
  ['2', 2000],
  ['1.5s', 1500],
] as const)
  t.equal(everyOf(read({ OCF_RESKEY_every: text || '1s' })), time)
for (const text of ['10ms', '2h', 'often', '-1', '0'])
  t.throws(() => everyOf(read({ OCF_RESKEY_every: text })), { code: ocfCodes.notConfigured }, text)
