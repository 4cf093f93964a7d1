import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { eventually } from '../protocol-d/eventually.js'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { guestFaults } from './cluster-faults.js'
import { GuestWatch } from './guest-watch.js'
import { NamespaceCluster } from './namespace-cluster.js'
import { describe, promotedNode, untilRedundant } from './until-served.js'

const { SEED, CLUSTER = '2' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
/** How long it may take until the guest is promised more, in milliseconds. */
const limit = 120_000

t.test(`faults of a guest under COLO, SEED=${seed} CLUSTER=${CLUSTER}`, { timeout: 0 }, async t => {
  const options = { names: ['anna', 'berta'], agent: 'colo', isFencing: true } as const
  const cluster = await realPart(t, () => NamespaceCluster.start(options))
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  const random = createRandom(seed)
  const all = guestFaults()
  await cluster.begin()
  await untilRedundant(cluster)
  const watch = new GuestWatch(cluster)
  watch.start()
  t.teardown(() => watch.end())
  const untilMore = async (what: string) => {
    const more = watch.promised + 8
    await eventually(what, () => watch.promised > more, undefined, limit).catch(async error => {
      throw new Error(`${error.message}\n${watch.wrong.join('\n')}\n${await describe(cluster)}`)
    })
  }
  await untilMore('the guest is promised something')
  for (let run = 0; run < Number(CLUSTER); run++) {
    const fault = random.pick(all)
    const names = cluster.nodes.map(({ name }) => name)
    const node = random.pick(names)
    const other = names.find(name => name !== node)!
    const promoted = await promotedNode(cluster)
    await pause(random.int(1000))
    const began = performance.now()
    await fault.do(cluster, node, other, random)
    await untilMore(`after '${fault.name}' of ${node} the guest goes on`)
    const time = ((performance.now() - began) / 1000).toFixed(1)
    t.comment(`${run}: ${fault.name}: ${node}${node === promoted ? ', promoted' : ''}; promised more after ${time} s`)
    await untilRedundant(cluster)
    t.same(watch.wrong, [], fault.name)
  }
  await untilMore('the guest goes on')
  await watch.end()
  const { byCheckpoint, alone, boots, promised } = watch
  t.comment(JSON.stringify({ promised, byCheckpoint, alone, boots, fenced: cluster.fenced.length }))
  t.ok(byCheckpoint > 0, 'checkpoints were promised')
  t.same(watch.wrong, [])
})
