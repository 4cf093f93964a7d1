import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ReplicatedDisk } from 'xenlight/protocol-d'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { NamespaceCluster } from './namespace-cluster.js'

const tester = '/usr/sbin/ocf-tester'

t.test("OCF's own tester, on a node of a real cluster", async t => {
  const cluster = await realPart(t, () => {
    if (!existsSync(tester)) throw new MissingRealPart('ocf-tester', 'resource-agents libxml2-utils')
    return NamespaceCluster.start({ names: ['anna', 'berta', 'carla'], isFencing: false })
  })
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  await cluster.begin()

  // a new disk is promoted by an operator's word only
  const { folder } = cluster.node('carla')
  const peer = { connect: { path: join(folder, 'nobody') } }
  const disk = await ReplicatedDisk.open({
    data: join(folder, 'disk/web.img'),
    pair: 'a name that nobody guesses',
    peer,
  })
  await disk.promote({ force: true })
  await disk.demote()
  await disk.close()

  const parameters = {
    disk: '/run/web/disk/web.img',
    nodes: 'carla=192.0.2.3:7800 dora=192.0.2.4:7800',
    pair_file: join(cluster.folder, 'pair'),
  }
  const options = Object.entries(parameters).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const agent = '/usr/lib/ocf/resource.d/xenlight/remus'
  const said = await cluster.node('carla').run(tester, '-v', '-n', 'lone', ...options, agent)
  t.match(said, /passed all tests/, said)
})
