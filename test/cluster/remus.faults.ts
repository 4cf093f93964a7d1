import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { faults } from './cluster-faults.js'
import { readHistory } from './guest-history.js'
import { NamespaceCluster } from './namespace-cluster.js'
import { untilRedundant, untilServed } from './until-served.js'

const { SEED, COUNT = '100' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

t.test(`faults of a cluster of two nodes, SEED=${seed} COUNT=${COUNT}`, { timeout: 0 }, async t => {
  const cluster = await realPart(t, () => NamespaceCluster.start({ names: ['anna', 'berta'], isFencing: true }))
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  const random = createRandom(seed)
  await cluster.begin()
  await untilServed(cluster, 0)
  await untilRedundant(cluster)
  const gaps: number[] = []
  for (let run = 0; run < Number(COUNT); run++) {
    const fault = random.pick(faults)
    const names = cluster.nodes.map(({ name }) => name)
    const node = random.pick(names)
    const other = names.find(name => name !== node)!
    await pause(random.int(1000))
    const { promised } = readHistory(cluster.logs)
    const began = performance.now()
    await fault.do(cluster, node, other, random)
    const after = await untilServed(cluster, promised + 8)
    await untilRedundant(cluster)
    gaps.push(readHistory(cluster.logs).longestGap)
    t.comment(`${run}: ${fault.name}: ${node}; served ${((after - began) / 1000).toFixed(1)} s later`)
  }
  const history = readHistory(cluster.logs)
  t.comment(JSON.stringify({ ...history, last: undefined, fenced: cluster.fenced.length }))
  t.ok(history.byCheckpoint > 0, 'checkpoints were promised')
  t.ok(history.guests > 1, 'the guest was moved')
})
