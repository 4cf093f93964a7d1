import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Agent, readAgentConfig } from 'xenlight/replication'
import { HubListener } from '#xenlight/replication/node/hub-listener.js'
import type { SessionMessage } from '#xenlight/replication/wire/session.js'
import { eventually } from '../../protocol-d/eventually.js'
import { realPart } from '../../support/real-part.js'
import { place } from './place.js'
import { openAgent, openHub, RunningGuest, statesOf, untilState } from './running-guest.js'

/** Every state that anybody who looks could see, from now on: each with why it is so. */
function everyState(t: Test, agent: Agent): string[] {
  const seen: string[] = []
  const look = () => {
    const { hub } = agent.status
    for (const state of statesOf(agent.status)) {
      const why = 'why' in state ? `: ${state.why}` : ''
      const text = `${state.state}${why}${hub.name === undefined ? '' : ', with a hub'}`
      if (seen.at(-1) !== text) seen.push(text)
    }
  }
  look()
  const timer = setInterval(look, 1)
  const unlisten = agent.onChange(look)
  t.teardown(() => {
    clearInterval(timer)
    unlisten()
  })
  return seen
}

t.test('while a monitor has not answered, nothing has failed', async t => {
  const { folder, hub } = place(t)
  const monitors: Socket[] = []
  const monitor = createServer(socket => monitors.push(socket.on('error', () => {})))
  await new Promise<void>(resolve => monitor.listen(join(folder, 'qmp'), resolve))
  t.teardown(() => monitor.close())
  const reports: string[] = []
  await using _ = await HubListener.listen(
    { name: 'hub1', address: hub.listen! },
    {
      refused: why => t.fail(why),
      connected: () => ({
        message(said: SessionMessage) {
          if (said.kind === 'report') for (const { state, why } of said.volumes) reports.push(`${state}: ${why}`)
        },
        request: async () => ({}),
        ended: () => {},
      }),
    },
  )
  const group = { way: 'cycles', qmp: join(folder, 'qmp'), disks: { root: { node: 'disk0' }, data: { node: 'disk1' } } }
  const places = { hub: join(folder, 'h'), state: join(folder, 'agent'), run: join(folder, 'run') }
  const config = JSON.stringify({ name: 'anna', ...places, groups: { web: group } })
  const { tls: __, control: ___, ...options } = readAgentConfig(config, 'agent')
  await using agent = await Agent.open(options)
  const seen = everyState(t, agent)
  await eventually('the monitor is connected to, and the hub was told', () => monitors.length > 0 && reports.length > 3)
  const waiting = "degraded: there is no connection to QEMU's monitor yet"
  t.strictSame(new Set(reports), new Set([waiting]))
  t.strictSame([...new Set(seen)], [waiting, `${waiting}, with a hub`])

  // now it is known
  const isFailed = () => seen.at(-1)!.startsWith('failed: ')
  monitor.close()
  for (const socket of monitors) socket.destroy()
  await eventually('it failed', isFailed)
  const before = seen.length
  await eventually(
    'it is tried again',
    () => seen.at(-1)!.includes('nobody listens there') || seen.at(-1)!.includes('no such socket'),
  )
  t.ok(
    seen.slice(before).every(state => state.startsWith('failed: ')),
    seen.slice(before).join('\n'),
  )
})

for (const way of ['cycles', 'child'] as const)
  t.test(`${way}: from the first report on, nothing is said to have failed`, async t => {
    const guest = new RunningGuest(t, { way, disks: 2 })
    const isThere = await realPart(t, async () => {
      await guest.start({ runs: false })
      return true
    })
    if (isThere !== true) return
    await using _ = await openHub(guest)
    await using agent = await openAgent(guest)
    const seen = everyState(t, agent)
    await untilState(agent, 'protected')
    t.match(seen[0], /^degraded: /)
    t.strictSame(
      seen.filter(state => state.startsWith('failed')),
      [],
    )
    t.strictSame(
      seen.filter(state => /no connection to the hub, with a hub/.test(state)),
      [],
      'why is true as well',
    )
  })

t.test('what has failed is said to until it is not so any more', async t => {
  const guest = new RunningGuest(t, { disks: 1 })
  const isThere = await realPart(t, async () => {
    await guest.start({ runs: false })
    return true
  })
  if (isThere !== true) return
  await using _ = await openHub(guest)
  const { groups, ...options } = guest.agent
  const { web } = groups
  if (web?.way !== 'cycles') throw new Error('it is another way')
  await using agent = await Agent.open({ ...options, groups: { web: { ...web, disks: { root: { node: 'none' } } } } })
  const seen = everyState(t, agent)
  let changes = 0
  const unlisten = agent.onChange(() => {
    if (seen.some(state => state.startsWith('failed'))) changes++
  })
  t.teardown(unlisten)
  await eventually('QEMU was asked several times', () => changes > 4)
  const first = seen.findIndex(state => state.startsWith('failed'))
  t.match(seen[first], /none/)
  t.strictSame(new Set(seen.slice(first)).size, 1, seen.join('\n'))
})
