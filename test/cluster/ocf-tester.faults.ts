import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { recordFolder } from 'xenlight/colo'
import { ReplicatedDisk } from 'xenlight/protocol-d'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { guestMachine } from './guest-machine.js'
import { NamespaceCluster } from './namespace-cluster.js'
import { untilRedundant } from './until-served.js'

const tester = '/usr/sbin/ocf-tester'

/**
 * What an agent is tested with, on the node `carla`; its data counts already, as a new one is promoted by an operator's word only. That of a group
 * needs its services, and has a file of its own.
 */
const subjects: Readonly<
  Record<'remus' | 'colo', (cluster: NamespaceCluster, disk: string) => Promise<Record<string, string>>>
> = {
  async remus(cluster, folder) {
    const pair = 'a name that nobody guesses'
    const peer = { connect: { path: join(cluster.node('carla').folder, 'nobody') } }
    const disk = await ReplicatedDisk.open({ data: join(folder, 'web.img'), pair, peer })
    await disk.promote({ force: true })
    await disk.demote()
    await disk.close()
    return { disk: '/run/web/disk/web.img' }
  },
  async colo(_cluster, folder) {
    const { program: qemu } = guestMachine(folder, '/run/web/disk')
    const record = { version: 1, disk: 'disk0', epoch: 1, state: 'alone', why: 'it was promoted', at: '' }
    await recordFolder(join(folder, 'records')).write('/run/web/disk/guest.img', JSON.stringify(record))
    return { qemu, records: '/run/web/disk/records', overlays: '/run/web/disk/overlays' }
  },
}

for (const [name, subject] of Object.entries(subjects))
  t.test(`OCF's own tester, on a node of a real cluster: ${name}`, async t => {
    const cluster = await realPart(t, () => {
      if (!existsSync(tester)) throw new MissingRealPart('ocf-tester', 'resource-agents libxml2-utils')
      return NamespaceCluster.start({ names: ['anna', 'berta', 'carla'], isFencing: false })
    })
    if (cluster === undefined) return
    t.teardown(() => cluster[Symbol.asyncDispose]())
    await cluster.begin()
    // until both have all, nobody but the one that has it is promoted
    await untilRedundant(cluster)

    const parameters = {
      ...(await subject(cluster, join(cluster.node('carla').folder, 'disk'))),
      nodes: 'carla=192.0.2.3:7800 dora=192.0.2.4:7800',
      pair_file: join(cluster.folder, 'pair'),
    }
    const options = Object.entries(parameters).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    const agent = `/usr/lib/ocf/resource.d/xenlight/${name}`
    // who goes on alone says it of a resource that the cluster has
    const said = await cluster.node('carla').run(tester, '-v', '-n', 'web', ...options, agent)
    t.match(said, /passed all tests/, said)
  })
