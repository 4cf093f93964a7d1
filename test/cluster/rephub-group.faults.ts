import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'
import { createRandom, type Random } from '../support/random.js'
import { MissingRealPart, realPart } from '../support/real-part.js'
import {
  agentNode,
  goHome,
  groupState,
  hubNode,
  property,
  standby,
  untilHome,
  untilServedBy,
  untilSo,
  untilState,
} from './group-cluster.js'
import { readGroupHistory } from './group-history.js'
import { groupSubject } from './group-subject.js'
import { NamespaceCluster } from './namespace-cluster.js'

const { SEED, CLUSTER = '20' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)
const names = [agentNode, hubNode] as const
/** In seconds. */
const mayLose = 60

interface Round {
  readonly name: string
  /** What was written last at the agent may be lost by it. */
  readonly mayLose?: boolean
  do(cluster: NamespaceCluster, random: Random): Promise<void>
}

const kill = (cluster: NamespaceCluster, name: string, command: string): void => {
  for (const pid of cluster.node(name).pidsOf(command)) process.kill(pid, 'SIGKILL')
}

async function powerLoss(cluster: NamespaceCluster, name: string, random: Random): Promise<void> {
  await cluster.node(name).kill()
  await pause(1000 + random.int(4000))
  if (!cluster.node(name).isUp) cluster.node(name).boot()
}

/** Each begins with the guest beside the agent. */
const rounds: readonly Round[] = [
  {
    name: "the agent's node loses its power",
    mayLose: true,
    do: (cluster, random) => powerLoss(cluster, agentNode, random),
  },
  { name: "the hub's node loses its power", do: (cluster, random) => powerLoss(cluster, hubNode, random) },
  {
    name: "the agent's node is set on standby, and the hub gives the group back",
    async do(cluster) {
      await standby(cluster, hubNode, agentNode, true)
      await untilServedBy(cluster, hubNode)
      await standby(cluster, hubNode, agentNode, false)
    },
  },
  {
    name: "the hub's node loses its power while it is promoted",
    async do(cluster, random) {
      await standby(cluster, hubNode, agentNode, true)
      await untilServedBy(cluster, hubNode)
      await standby(cluster, hubNode, agentNode, false)
      await powerLoss(cluster, hubNode, random)
      await untilServedBy(cluster, hubNode)
    },
  },
  { name: 'the agent is killed', do: async cluster => kill(cluster, agentNode, 'repagent.cjs') },
  { name: 'the hub is killed', do: async cluster => kill(cluster, hubNode, 'rephub.cjs') },
  {
    name: 'the cable of a node is pulled',
    mayLose: true,
    async do(cluster, random) {
      const name = random.pick(names)
      await cluster.cable(name, 'down')
      await pause(500 + random.int(6000))
      await cluster.cable(name, 'up')
    },
  },
]

t.test(`faults of a group under a cluster, SEED=${seed} CLUSTER=${CLUSTER}`, { timeout: 0 }, async t => {
  const cluster = await realPart(t, () =>
    NamespaceCluster.start({ names, isFencing: true, subject: groupSubject(names, { may_lose: `${mayLose}s` }) }),
  )
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  const random = createRandom(seed)
  await untilHome(cluster)
  // each of them comes, whatever the count
  const from = random.int(rounds.length)
  for (let run = 0; run < Number(CLUSTER); run++) {
    const round = rounds[(from + run) % rounds.length]!
    const before = readGroupHistory(cluster.logs)
    await pause(random.int(2000))
    await round.do(cluster, random)
    // a side that was cut off is fenced, or promoted: that takes its time
    await pause(2000)
    await untilSo(cluster, 'a guest is served', async () => readGroupHistory(cluster.logs).promised > 0)
    await goHome(cluster)
    const { losses, guests } = readGroupHistory(cluster.logs)
    const lost = losses.slice(before.losses.length)
    const words = lost.map(({ numbers, time }) => `${numbers} writes of ${(time / 1000).toFixed(1)} s`).join(', ')
    t.comment(`${run}: ${round.name}; ${guests - before.guests} guests; lost: ${words || 'nothing'}`)
    if (round.mayLose !== true) t.strictSame(lost, [], `${round.name}: nothing is lost`)
    for (const { time } of lost) t.ok(time <= mayLose * 1000, `no more than ${mayLose} s are lost`)
  }
  t.comment(JSON.stringify({ ...readGroupHistory(cluster.logs), fenced: cluster.fenced.length }))
})

t.test('without may_lose, the hub is promoted by an operator only, who says why', { timeout: 0 }, async t => {
  const cluster = await realPart(t, () =>
    NamespaceCluster.start({ names, isFencing: true, subject: groupSubject(names, {}) }),
  )
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  await untilHome(cluster)

  // it boots, and neither its cluster nor its agent begins
  const files = ['corosync.conf', 'services'].map(name => join(cluster.node(agentNode).folder, name))
  for (const file of files) renameSync(file, `${file}.away`)
  await cluster.node(agentNode).kill()
  await untilSo(cluster, 'the agent is known to be down', async () => {
    const text = await cluster.node(hubNode).run('crm_mon', '-1')
    return /OFFLINE: \[ anna \]/.test(text) && !/UNCLEAN/.test(text)
  })
  await untilState(cluster, hubNode, 'state', /^disconnected/)
  await pause(8000)
  t.match((await groupState(cluster, hubNode)).get('monitor'), /^degraded$/, 'it is not promoted')

  const command = join(projectRoot, 'dist/bin/xl-cluster.cjs')
  const force = ['force', 'web', hubNode, '--reason', 'anna burnt down']
  await cluster.node(hubNode).run(process.execPath, command, ...force)
  await untilServedBy(cluster, hubNode)
  await untilSo(cluster, 'the reason is recorded', async () =>
    /^\d+ berta anna burnt down$/.test((await property(cluster, hubNode, 'xenlight-web-forced')) ?? ''),
  )
  t.equal(await property(cluster, hubNode, 'xenlight-web-force'), undefined, 'it counts once')

  for (const file of files) renameSync(`${file}.away`, file)
  await cluster.node(agentNode).kill()
  if (!cluster.node(agentNode).isUp) cluster.node(agentNode).boot()
  await goHome(cluster)
})

t.test('without fencing, a side that was cut off loses its guest when the two meet', { timeout: 0 }, async t => {
  const cluster = await realPart(t, () => {
    if (!existsSync('/usr/bin/qemu-io')) throw new MissingRealPart('qemu-io', 'qemu-utils')
    const subject = groupSubject(names, { may_lose: `${mayLose}s` })
    return NamespaceCluster.start({ names, isFencing: false, subject })
  })
  if (cluster === undefined) return
  t.teardown(() => cluster[Symbol.asyncDispose]())
  await untilHome(cluster)
  await cluster.cable(hubNode, 'down')
  await untilState(cluster, hubNode, 'monitor', /promoted$/)
  t.match((await groupState(cluster, agentNode)).get('state'), /^open/, 'each has a guest')
  const url = 'nbd+unix:///web/root?socket=/run'
  const write = (node: string, pattern: string, socket: string) =>
    cluster.node(node).run('qemu-io', '-f', 'raw', '-c', `write -P ${pattern} 8M 64k`, `${url}/${socket}`)
  await write(agentNode, '0xaa', 'repagent/web.root.sock')
  await write(hubNode, '0xbb', 'rephub/nbd.sock')

  await cluster.cable(hubNode, 'up')
  await untilState(cluster, agentNode, 'state', /^held: fenced/)
  await t.rejects(write(agentNode, '0xcc', 'repagent/web.root.sock'), 'no guest gets its disk')
  const read = ['-f', 'raw', '-c', 'read -P 0xbb 8M 64k', `${url}/rephub/nbd.sock`]
  t.match(await cluster.node(hubNode).run('qemu-io', ...read), /^read 65536/, 'what the hub has is as it was')
})
