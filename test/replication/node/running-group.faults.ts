import { randomInt } from 'node:crypto'
import t, { type Test } from 'tap'
import { stop } from 'xenlight/qmp'
import type { AgentStatus, HubServer } from 'xenlight/replication'
import { writesIn } from '../../guest/numbered-disks.js'
import { eventually } from '../../protocol-d/eventually.js'
import { createRandom } from '../../support/random.js'
import { realPart } from '../../support/real-part.js'
import {
  changedSince,
  groupOf,
  offered,
  offeredPoints,
  openAgent,
  openHub,
  RunningGuest,
  type RunningSettings,
  states,
  statesOf,
  untilState,
} from './running-guest.js'
import { Worker } from './worker.js'

const onGuest = (name: string, settings: RunningSettings, work: (t: Test, guest: RunningGuest) => Promise<void>) =>
  t.test(name, async t => {
    const guest = new RunningGuest(t, settings)
    const isThere = await realPart(t, async () => {
      await guest.start()
      return true
    })
    if (isThere === true) await work(t, guest)
  })

for (const way of ['cycles', 'child'] as const)
  onGuest(`${way}: each point that the hub offers is a prefix of the guest's writes`, { way }, async (t, guest) => {
    await using hub = await openHub(guest)
    await using agent = await openAgent(guest)
    await untilState(agent, 'protected')
    const from = guest.reported()
    const { journal } = hub.hub.groups[0]!
    const samples: { reported: number; time: number }[] = []
    const isOn = () => {
      const reported = guest.reported()
      // in whole milliseconds, and the agent's clock may be 2 behind
      samples.push({ reported, time: (Date.now() + 3) * 1000 })
      return reported > from + 1000 && [...journal.points({ every: 1 })].length > 5
    }
    await eventually('the guest goes on', isOn)
    const { position } = journal.last
    const before = guest.reported()
    const point = await agent.group('web').point('here')
    await guest.qemu.client.run(stop)
    const points = await offeredPoints(hub, guest, position)
    for (const { time, writes } of points) {
      const before = samples.findLast(sample => sample.time <= time)?.reported ?? 0
      if (before > writes) t.fail(`the point of ${time} has ${writes} writes, and ${before} were reported before`)
    }
    const writes = points.map(one => one.writes)
    t.ok(writes.length > 3, `${writes.length} points`)
    t.same(
      writes,
      [...writes].sort((one, other) => one - other),
    )
    const named = journal.findPoint('here')
    t.match(point, { name: 'here', time: named.time })
    const there = await offered(hub, guest, named.position)
    t.ok(there.at(-1)! >= before, `the checkpoint has ${there.at(-1)} writes, and ${before} were reported before`)
    t.match(groupOf(agent.status), {
      way,
      recoveryPoint: { isMet: true },
      volumes: [
        { name: 'root', state: { state: 'protected' } },
        { name: 'data', state: { state: 'protected' } },
      ],
    })
    await agent.group('web').point('end')
    const all = (await offered(hub, guest)).at(-1)!
    await agent.group('web').stop()
    await guest.qemu.quit()
    t.equal(all, writesIn(guest.numbers, guest.contents()))
  })

const mebibyte = 1024 * 1024
const { SEED } = process.env
const seed = SEED === undefined ? randomInt(2 ** 31) : Number(SEED)
const large = { size: 4 * mebibyte }
/** The granules that the guest writes to: no more of a disk changes. */
const written = 2 * 65_536

/** What the guest's disks hold in the end is at the hub, and all that it offers is a prefix of the guest's writes. */
async function isAllThere(t: Test, guest: RunningGuest, hub: HubServer, checkpoint: () => Promise<unknown>) {
  await guest.qemu.client.run(stop)
  await checkpoint()
  const writes = await offered(hub, guest)
  await guest.qemu.quit()
  const all = writesIn(guest.numbers, guest.contents())
  t.equal(writes.at(-1), all, `${all} writes; offered are ${writes.join(' ')}`)
}

for (const way of ['cycles', 'child'] as const) {
  onGuest(
    `${way}: an agent that is closed and opened again sends what changed`,
    { way, ...large },
    async (t, guest) => {
      await using hub = await openHub(guest)
      const { journal } = await (async () => {
        await using agent = await openAgent(guest)
        t.match(statesOf(agent.status), [{ state: 'degraded', why: /no connection to QEMU's monitor yet/ }, {}])
        await untilState(agent, 'protected')
        return hub.hub.groups[0]!
      })()
      const { position } = journal.last
      const from = guest.reported()
      await eventually('the guest goes on', () => guest.reported() > from + 100)
      await using agent = await openAgent(guest)
      const seen = states(agent)
      await untilState(agent, 'protected')
      for (const volume of [0, 1]) {
        const bytes = changedSince(hub, position, volume)
        t.ok(bytes > 0 && bytes <= written, `${bytes} bytes of volume ${volume}`)
      }
      t.ok(seen.includes('resyncing restart'), seen.join(', '))
      await isAllThere(t, guest, hub, () => agent.group('web').point('end'))
    },
  )

  onGuest(`${way}: an agent that is killed, again and again: SEED=${seed}`, { way, ...large }, async (t, guest) => {
    const random = createRandom(seed)
    await using hub = await openHub(guest)
    const isProtected = async (worker: Worker<AgentStatus>) => {
      const { groups } = await worker.status()
      return groups[0]!.volumes.every(({ state }) => state.state === 'protected')
    }
    let worker = await Worker.start<AgentStatus>(t, 'agent', guest.agentConfig)
    await eventually('it is protected', () => isProtected(worker))
    const { position } = hub.hub.groups[0]!.journal.last
    for (let count = 0; count < 5; count++) {
      await new Promise(resolve => setTimeout(resolve, random.int(400)))
      await worker.kill()
      worker = await Worker.start<AgentStatus>(t, 'agent', guest.agentConfig)
      await eventually('it is protected', () => isProtected(worker))
    }
    for (const volume of [0, 1]) {
      const bytes = changedSince(hub, position, volume)
      t.ok(bytes > 0 && bytes <= written, `${bytes} bytes of volume ${volume}`)
    }
    await worker.kill()
    await using agent = await openAgent(guest)
    await untilState(agent, 'protected')
    await isAllThere(t, guest, hub, () => agent.group('web').point('end'))
  })

  onGuest(`${way}: a hub that is killed and comes back`, { way, ...large }, async (t, guest) => {
    let worker = await Worker.start(t, 'hub', guest.hubConfig)
    await using agent = await openAgent(guest)
    await untilState(agent, 'protected')
    for (let count = 0; count < 3; count++) {
      await worker.kill()
      await eventually('it is seen', () => statesOf(agent.status).every(({ state }) => state === 'degraded'))
      t.match(statesOf(agent.status)[0], { since: Number, why: /connection to the hub/ })
      await eventually('the recovery point is not met', () => !groupOf(agent.status).recoveryPoint.isMet)
      worker = await Worker.start(t, 'hub', guest.hubConfig)
      await untilState(agent, 'protected')
    }
    await worker.kill()
    await using hub = await openHub(guest)
    await untilState(agent, 'protected')
    const { journal } = hub.hub.groups[0]!
    const [first] = journal.points({ every: 1 })
    for (const volume of [0, 1])
      t.ok(changedSince(hub, first!.position, volume) <= written, 'only what changed was sent since the first point')
    await isAllThere(t, guest, hub, () => agent.group('web').point('end'))
  })
}

for (const way of ['cycles', 'child'] as const)
  onGuest(
    `${way}: a frozen hub never holds the guest for longer than the deadline`,
    { way, ...large, deadline: '500ms', memory: 256 * 1024 },
    async (t, guest) => {
      const worker = await Worker.start(t, 'hub', guest.hubConfig)
      await using agent = await openAgent(guest)
      await untilState(agent, 'protected')
      const seen = states(agent)
      worker.freeze()
      let [longest, last, since] = [0, guest.reported(), performance.now()]
      const end = since + 4000
      while (performance.now() < end) {
        await new Promise(resolve => setTimeout(resolve, 5))
        const now = guest.reported()
        if (now !== last) [last, since] = [now, performance.now()]
        longest = Math.max(longest, performance.now() - since)
      }
      t.comment(`the guest waited ${Math.round(longest)} ms at most, with a deadline of 500 ms`)
      t.ok(longest > 100, 'it has waited at all: the hub was in the way')
      t.ok(longest < 3000)
      t.ok(
        seen.some(state => /^degraded .*cut off/.test(state)),
        seen.join(', '),
      )
      t.equal(groupOf(agent.status).recoveryPoint.isMet, false)
      worker.thaw()
      await untilState(agent, 'protected')
      await worker.kill()
      await using hub = await openHub(guest)
      await eventually('it is seen', () => groupOf(agent.status).volumes[0]!.state.state === 'protected')
      await isAllThere(t, guest, hub, () => agent.group('web').point('end'))
    },
  )

for (const [way, format, isOrderly] of [
  ['cycles', 'qcow2', true],
  ['cycles', 'qcow2', false],
  ['cycles', 'raw', true],
  ['child', 'qcow2', true],
  ['child', 'raw', false],
] as const)
  onGuest(
    `${way}: a QEMU with ${format} that ${isOrderly ? 'ends' : 'is killed'}, and starts again`,
    { way, format, ...large },
    async (t, guest) => {
      await using hub = await openHub(guest)
      await using agent = await openAgent(guest)
      await untilState(agent, 'protected')
      const { journal } = hub.hub.groups[0]!
      const seen = states(agent)
      const before = guest.reported()
      await eventually('the guest goes on', () => guest.reported() > before + 100)
      await guest.qemu.client.run(stop)
      if (isOrderly) await guest.qemu.quit()
      else await guest.qemu.stop()
      await eventually('it is seen', () => statesOf(agent.status).every(({ state }) => state === 'failed'))
      t.match(statesOf(agent.status)[0], { why: /start the guest|does QEMU run/ })
      await t.rejects(agent.group('web').point('x'), { code: 'wrong-state', message: /QEMU/ })
      await eventually('the recovery point is not met', () => !groupOf(agent.status).recoveryPoint.isMet)
      const { position } = journal.last
      await guest.start({ runs: false })
      await untilState(agent, 'protected')
      const bytes = [0, 1].map(volume => changedSince(hub, position, volume))
      t.ok(
        seen.some(state => state.startsWith('resyncing')),
        'it is not protected before all is there again',
      )
      if (format === 'qcow2' && isOrderly)
        for (const one of bytes) t.ok(one <= written, `${one} bytes: the bitmaps were kept`)
      else {
        t.ok(
          seen.some(state => /^resyncing bitmap-(missing|inconsistent)/.test(state)),
          seen.join(', '),
        )
        for (const one of bytes) t.equal(one, large.size, 'all is sent again')
      }
      await isAllThere(t, guest, hub, () => agent.group('web').point('end'))
    },
  )

onGuest('it is paused, resumed, stopped and started', large, async (t, guest) => {
  await using hub = await openHub(guest)
  await using agent = await openAgent(guest)
  await untilState(agent, 'protected')
  const group = agent.group('web')
  const { journal } = hub.hub.groups[0]!
  const nodes = async () =>
    (await guest.qemu.qmp<{ 'node-name': string; 'dirty-bitmaps'?: { name: string }[] }[]>('query-named-block-nodes'))
      .flatMap(node => [node['node-name'], ...(node['dirty-bitmaps'] ?? []).map(({ name }) => name)])
      .filter(name => name.startsWith('xl-') || name.startsWith('xenlight:'))
  await group.pause()
  t.match(statesOf(agent.status), [{ state: 'paused', since: Number }, {}])
  t.ok(
    (await nodes()).every(name => name.startsWith('xenlight:')),
    'only bitmaps are left in QEMU',
  )
  await t.rejects(group.point('x'), { code: 'wrong-state', message: /paused/ })
  const { position } = journal.last
  const from = guest.reported()
  await eventually('the guest goes on', () => guest.reported() > from + 100)
  t.equal(journal.last.position, position, 'nothing is sent')
  await group.resume()
  await untilState(agent, 'protected')
  for (const volume of [0, 1]) t.ok(changedSince(hub, position, volume) <= written)
  t.strictSame(await group.stop(), { left: [] })
  t.strictSame(await nodes(), [], 'nothing of ours is left in QEMU')
  t.match(statesOf(agent.status), [{ state: 'unprotected' }, { state: 'unprotected' }])
  const seen = states(agent)
  const stopped = journal.last.position
  await group.start()
  await untilState(agent, 'protected')
  for (const volume of [0, 1]) t.equal(changedSince(hub, stopped, volume), large.size, 'all is sent')
  t.ok(
    seen.some(state => state.startsWith('resyncing')),
    seen.join(', '),
  )
  await isAllThere(t, guest, hub, () => group.point('end'))
})

for (const way of ['cycles', 'child'] as const)
  onGuest(`${way}: what is wanted of it outlives the agent`, { way, ...large }, async (t, guest) => {
    await using hub = await openHub(guest)
    const { journal } = await (async () => {
      await using agent = await openAgent(guest)
      await untilState(agent, 'protected')
      await agent.group('web').pause()
      return hub.hub.groups[0]!
    })()
    const { position } = journal.last
    await (async () => {
      await using agent = await openAgent(guest)
      const from = guest.reported()
      await eventually('the guest goes on', () => guest.reported() > from + 100)
      t.match(statesOf(agent.status), [{ state: 'paused' }, { state: 'paused' }])
      t.equal(journal.last.position, position, 'nothing is sent')
      await agent.group('web').resume()
      await untilState(agent, 'protected')
      for (const volume of [0, 1]) t.ok(changedSince(hub, position, volume) <= written)
      t.strictSame(await agent.group('web').stop(), { left: [] })
    })()
    const stopped = journal.last.position
    await using agent = await openAgent(guest)
    const group = agent.group('web')
    // asked again, it looks again
    await eventually('QEMU is seen', async () => (await group.stop()).left.length === 0)
    t.match(statesOf(agent.status), [{ state: 'unprotected' }, { state: 'unprotected' }])
    t.equal(journal.last.position, stopped)
    await group.start()
    await untilState(agent, 'protected')
    for (const volume of [0, 1]) t.equal(changedSince(hub, stopped, volume), large.size, 'all is sent')
    await isAllThere(t, guest, hub, () => group.point('end'))
  })

onGuest('a snapshot, and a disk that grows: seen, with what is to be done', large, async (t, guest) => {
  await using _ = await openHub(guest)
  await using agent = await openAgent(guest)
  await untilState(agent, 'protected')
  const group = agent.group('web')
  const overlay = { driver: 'qcow2', 'node-name': 'overlay', file: 'overlay-file', backing: null }
  const path = `${guest.folder}/overlay`
  await guest.qemu.monitor('info version')
  await guest.qemu.qmp('blockdev-create', {
    'job-id': 'c1',
    options: { driver: 'file', filename: path, size: 0 },
  })
  await eventually(
    'it is there',
    async () => (await guest.qemu.qmp<{ status: string }[]>('query-jobs'))[0]?.status === 'concluded',
  )
  await guest.qemu.qmp('job-dismiss', { id: 'c1' })
  await guest.qemu.qmp('blockdev-add', { driver: 'file', 'node-name': 'overlay-file', filename: path })
  await guest.qemu.qmp('blockdev-create', {
    'job-id': 'c2',
    options: { driver: 'qcow2', file: 'overlay-file', size: large.size },
  })
  await eventually(
    'it is there',
    async () => (await guest.qemu.qmp<{ status: string }[]>('query-jobs'))[0]?.status === 'concluded',
  )
  await guest.qemu.qmp('job-dismiss', { id: 'c2' })
  await guest.qemu.qmp('blockdev-add', overlay)
  await guest.qemu.qmp('blockdev-snapshot', { node: 'root', overlay: 'overlay' })
  await eventually('it is seen', () => statesOf(agent.status)[0]!.state === 'failed')
  t.match(statesOf(agent.status), [{ why: /snapshot.*pause and resume/ }, {}])
  t.not(statesOf(agent.status)[1]!.state, 'protected', 'no disk of the group has a newer point')
  await t.rejects(group.point('x'), { code: 'wrong-state', message: /snapshot/ })
  await group.pause()
  await group.resume()
  await untilState(agent, 'protected')
  await guest.qemu.qmp('block_resize', { 'node-name': 'data', size: 2 * large.size })
  await eventually('it is seen', () => statesOf(agent.status)[1]!.state === 'failed')
  t.match(statesOf(agent.status)[1], { why: /bytes now/ })
  await group.stop()
  await group.start()
  await untilState(agent, 'protected')
  t.match(groupOf(agent.status).volumes, [{ size: large.size }, { size: 2 * large.size }])
})

t.test('a QEMU that is not there, and a disk that it does not have', async t => {
  const guest = new RunningGuest(t, { disks: 1 })
  await using _ = await openHub(guest)
  await using agent = await openAgent(guest)
  await eventually('it is said', () => /does QEMU run/.test(JSON.stringify(agent.status)))
  t.match(groupOf(agent.status), {
    volumes: [{ size: undefined, state: { state: 'failed' } }],
    disks: [{ node: 'root' }],
  })
  t.match(groupOf(agent.status).recoveryPoint, { behind: undefined, isMet: false })
})
