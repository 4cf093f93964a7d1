import { existsSync } from 'node:fs'
import t from 'tap'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { untilState } from './group-cluster.js'
import { groupSubject } from './group-subject.js'
import { NamespaceCluster } from './namespace-cluster.js'

const tester = '/usr/sbin/ocf-tester'
const names = ['anna', 'berta'] as const

t.test("OCF's own tester with a group, on both sides of a real cluster", { timeout: 0 }, async t => {
  const cluster = await realPart(t, () => {
    if (!existsSync(tester)) throw new MissingRealPart('ocf-tester', 'resource-agents libxml2-utils')
    return NamespaceCluster.start({ names, isFencing: false, subject: groupSubject(names, {}) })
  })
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  await untilState(cluster, 'berta', 'monitor', /^running$/)
  // the cluster's own resource takes no part
  await cluster.node('anna').run('crm_resource', '-r', 'web-clone', '-m', '-p', 'target-role', '-v', 'Stopped')
  await untilState(cluster, 'anna', 'state', /^held: protected/)

  const agent = '/usr/lib/ocf/resource.d/xenlight/rephub-group'
  // one that nobody asks may be promoted on the hub's node, too
  const parameters = { group: 'web', agent: 'anna', hub: 'berta', may_lose: '1h' }
  const options = Object.entries(parameters).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  for (const name of names) {
    const said = await cluster.node(name).run(tester, '-v', '-n', 'web', ...options, agent)
    t.match(said, /passed all tests/, said)
    await untilState(cluster, 'anna', 'state', /^held: protected/)
  }
})
