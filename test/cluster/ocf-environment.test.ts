import t from 'tap'
import { ocfCodes } from '#xenlight/cluster/exit-code.js'
import { readEnvironment } from '#xenlight/cluster/ocf-environment.js'
import { placesOf, remusAgent } from '#xenlight/cluster/remus-agent.js'

const needed = { OCF_RESKEY_disk: '/srv/d.img', OCF_RESKEY_pair_file: '/etc/p', OCF_RESKEY_nodes: 'a=h:1 b=h:2' }
const read = (env: Record<string, string>) => readEnvironment({ ...needed, ...env }, remusAgent.parameters, 'anna')

t.match(read({ OCF_RESOURCE_INSTANCE: 'web:1' }), { instance: 'web', node: 'anna', timeout: 60_000, level: 0 })
t.match(read({ OCF_RESKEY_CRM_meta_on_node: 'berta', OCF_RESKEY_CRM_meta_timeout: '20000', OCF_CHECK_LEVEL: '10' }), {
  node: 'berta',
  timeout: 20_000,
  level: 10,
})
t.match(read({}).parameters, { dead_after: '6s', export: 'disk' }, 'what is usual')
t.match(read({ OCF_RESKEY_tls: '' }).parameters, { tls: undefined }, 'empty is none')
// the name becomes a folder and a part of XML
for (const instance of ['../x', 'a b', '', "a'b", 'a/b', '-x', 'x'.repeat(65)])
  t.throws(() => read({ OCF_RESOURCE_INSTANCE: instance }), { code: ocfCodes.notConfigured }, instance)
t.throws(() => read({ OCF_RESKEY_report_degraded: 'never' }), {
  code: ocfCodes.notConfigured,
  message: /report_degraded takes one of always, deep/,
})
t.throws(() => read({ OCF_RESKEY_disk: '' }), { code: ocfCodes.notConfigured, message: /disk is missing/ })

t.strictSame(placesOf(read({})), [
  { node: 'a', address: 'h:1' },
  { node: 'b', address: 'h:2' },
])
for (const nodes of [
  'a=h:1',
  'a=h:1 a=h:2',
  'a=h:1 b=h',
  'a b',
  'a=h:1 b=h:2 c=h:3',
  "a=h:1 b';x=h:2",
  'a=--x:1 b=h: 2',
])
  t.throws(() => placesOf(read({ OCF_RESKEY_nodes: nodes })), { code: ocfCodes.notConfigured }, nodes)
