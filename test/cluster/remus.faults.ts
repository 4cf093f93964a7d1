import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { faults } from './cluster-faults.js'
import { readHistory } from './guest-history.js'
import { NamespaceCluster } from './namespace-cluster.js'
import { promotedNode, untilRedundant, untilServed } from './until-served.js'

const { SEED, CLUSTER = '100', NODES } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
// a third one has no disk, and a vote; where nothing is said the seed decides
const nodes = NODES === undefined ? 2 + (seed % 2) : Number(NODES)

t.test(`faults of a cluster, SEED=${seed} CLUSTER=${CLUSTER} NODES=${nodes}`, { timeout: 0 }, async t => {
  const names = ['anna', 'berta', 'carla'].slice(0, nodes)
  const cluster = await realPart(t, () => NamespaceCluster.start({ names, isFencing: true }))
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  const random = createRandom(seed)
  await cluster.begin()
  await untilServed(cluster, 0)
  await untilRedundant(cluster)
  const gaps: number[] = []
  for (let run = 0; run < Number(CLUSTER); run++) {
    const fault = random.pick(faults)
    const node = random.pick(names)
    const other = random.pick(names.filter(name => name !== node))
    const promoted = await promotedNode(cluster)
    await pause(random.int(1000))
    const { promised } = readHistory(cluster.logs)
    const began = process.hrtime.bigint()
    await fault.do(cluster, node, other, random)
    await untilServed(cluster, promised + 8)
    await untilRedundant(cluster)
    await untilServed(cluster, readHistory(cluster.logs).promised)
    const { longestGap } = readHistory(cluster.logs, began)
    const isPromoted = node === promoted
    if (isPromoted && !fault.isOfAll) gaps.push(longestGap)
    t.comment(
      `${run}: ${fault.name}: ${node}${isPromoted ? ', promoted' : ''}; out of service ${(longestGap / 1000).toFixed(1)} s`,
    )
  }
  const history = readHistory(cluster.logs)
  gaps.sort((first, second) => first - second)
  const at = (part: number) => ((gaps[Math.floor(gaps.length * part)] ?? 0) / 1000).toFixed(1)
  t.comment(`out of service, of ${gaps.length} faults of the promoted node: median ${at(0.5)} s, 9 of 10 ${at(0.9)} s`)
  t.comment(JSON.stringify({ ...history, last: undefined, fenced: cluster.fenced.length }))
  t.ok(history.byCheckpoint > 0, 'checkpoints were promised')
  // of a few the guest may survive all
  if (Number(CLUSTER) >= 20) t.ok(history.guests > 1, 'the guest was moved')
})
