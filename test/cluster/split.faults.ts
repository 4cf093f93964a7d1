import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { eventually } from '../protocol-d/eventually.js'
import { projectRoot } from '../support/project-root.js'
import { MissingRealPart, realPart } from '../support/real-part.js'
import { NamespaceCluster } from './namespace-cluster.js'
import type { NamespaceNode } from './namespace-node.js'
import { untilRedundant } from './until-served.js'

const nbd = 'nbd+unix:///disk?socket=/run/xenlight/web/nbd.sock'
const minute = 60_000

t.test(
  'without fencing, two nodes that lose each other both go on; the later promotion keeps the other data out',
  async t => {
    const cluster = await realPart(t, () => {
      if (!existsSync('/usr/bin/qemu-io')) throw new MissingRealPart('qemu-io', 'qemu-utils')
      return NamespaceCluster.start({ names: ['anna', 'berta'], isFencing: false })
    })
    if (cluster === undefined) return
    t.teardown(() => cluster[Symbol.asyncDispose]())
    const [anna, berta] = ['anna', 'berta'].map(name => cluster.node(name)) as [NamespaceNode, NamespaceNode]
    const io = (node: NamespaceNode, command: string) => node.run('qemu-io', '-f', 'raw', '-c', command, nbd)
    const stateOf = async (name: string, key: string) => (await cluster.state(name))?.get(key) ?? ''
    const until = (what: string, isSo: () => Promise<boolean>) => eventually(what, isSo, undefined, minute)
    await cluster.begin()
    await untilRedundant(cluster)

    await cluster.cable('berta', 'down')
    for (const name of ['anna', 'berta'])
      await until(`${name} goes on alone`, async () => (await stateOf(name, 'monitor')) === 'degraded-promoted')
    await io(anna, 'write -P 0xaa 8M 64k')
    await io(berta, 'write -P 0xbb 8M 64k')

    await cluster.cable('berta', 'up')
    // the second node's number is the greater one
    await until('anna is no Primary any more', async () => !(await stateOf('anna', 'monitor')).endsWith('promoted'))
    t.match(await stateOf('berta', 'promotion'), /002$/)
    await until('split brain is seen', async () => (await stateOf('anna', 'state')).includes('split brain'))
    t.equal(await stateOf('anna', 'score'), '', 'what is there is not to be promoted')
    const refused = await io(anna, 'write -P 0xcc 8M 64k').then(
      said => !/^wrote /m.test(said),
      () => true,
    )
    t.ok(refused, 'no guest writes there')
    t.match(await io(berta, 'read -P 0xbb 8M 64k'), /^read 65536/, 'what the second one wrote is as it was')

    const command = join(projectRoot, 'dist/bin/xl-remus.cjs')
    const resync = ['resync', '--discard', '--control', '/run/xenlight/web/control.sock', '--timeout', '60s']
    await anna.run(process.execPath, command, ...resync)
    await untilRedundant(cluster)
  },
)
