import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRandom } from '../support/random.js'
import { realPart } from '../support/real-part.js'
import { leasedWorld } from './pair/leased-world.js'
import { pairFaults } from './pair/pair-faults.js'

const { SEED, LEASES = '5', FAULT } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
/** Long enough for a cluster to elect another leader. */
const ttl = 5000

t.test(`faults of a pair under a lease, SEED=${seed} LEASES=${LEASES}`, { timeout: 0 }, async t => {
  const world = await realPart(t, () => leasedWorld(t, { members: 3, ttl }))
  if (world === undefined) return
  const { nodes, history } = world
  const random = createRandom(seed)
  const faults = pairFaults.filter(({ name }) => FAULT === undefined || name.includes(FAULT))
  const gaps: number[] = []
  for (let run = 0; run < Number(LEASES); run++) {
    const fault = random.pick(faults)
    const serving = nodes.find(({ name }) => name === history.active)!
    const node = random.chance(0.7) ? serving : random.pick(nodes)
    const other = nodes.find(one => one !== node)!
    await pause(random.int(1000))
    const began = performance.now()
    await fault.do(world, node, other, random)
    await world.untilPromised(history.promised + 8)
    await world.untilEqual()
    const gap = history.longestGap(began)
    if (node === serving && fault.isOfAll !== true) gaps.push(gap)
    t.comment(
      `${run}: ${fault.name}: ${node.name}${node === serving ? ', serving' : ''}; out of service ${(gap / 1000).toFixed(1)} s`,
    )
  }
  await world.untilPromised(history.promised)
  gaps.sort((first, second) => first - second)
  const at = (part: number) => ((gaps[Math.floor(gaps.length * part)] ?? 0) / 1000).toFixed(1)
  t.comment(`out of service, of ${gaps.length} faults of the serving node: median ${at(0.5)} s, 9 of 10 ${at(0.9)} s`)
  t.comment(JSON.stringify(history.counts))
  t.equal(history.problem, undefined)
  t.ok(history.counts.byCheckpoint > 0, 'checkpoints were promised')
})

/** What is planted, the fault that shows it, and what is said then. */
const planted = [
  ['a timer is believed', 'a node is stopped', /was answered while that of|was promised \d+, and that of/],
  [
    'the record is not believed',
    'a node goes on alone, and dies; the other one comes back first',
    /found \d+, and \d+ was promised/,
  ],
] as const

for (const [plant, name, found] of planted)
  t.test(`what is planted is found: ${plant}`, { timeout: 0 }, async t => {
    const world = await realPart(t, () => leasedWorld(t, { members: 1, ttl: 2000, plant }))
    if (world === undefined) return
    const { nodes, history } = world
    const random = createRandom(1)
    const fault = pairFaults.find(one => one.name === name)!
    for (let run = 0; run < 10 && history.problem === undefined; run++) {
      const node = nodes.find(one => one.name === history.active)!
      await fault.do(world, node, nodes.find(one => one !== node)!, random)
      await world.untilPromised(history.promised + 8).catch(() => {})
      await world.untilEqual().catch(() => {})
    }
    t.match(history.problem, found)
  })
