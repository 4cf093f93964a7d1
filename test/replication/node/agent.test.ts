import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Agent } from 'xenlight/replication'
import { HubListener } from '#xenlight/replication/node/hub-listener.js'
import type { SessionMessage } from '#xenlight/replication/wire/session.js'
import { eventually } from '../../protocol-d/eventually.js'
import { place } from './place.js'

t.test('a folder that anybody may write to is not taken: who does could be the disks, or the images', async t => {
  const { folder, agent } = place(t)
  for (const name of ['run', 'agent']) {
    chmodSync(join(folder, name), 0o1777)
    await t.rejects(Agent.open(agent), { code: 'not-allowed', message: new RegExp(`/${name} .*chmod`) })
    chmodSync(join(folder, name), 0o700)
  }
})

t.test('a hub that has much to say about very many volumes ends no agent', async t => {
  const { hub, newImage, agentOf } = place(t, 65_536)
  const reports: Extract<SessionMessage, { kind: 'report' }>[] = []
  const message = '€'.repeat(1000)
  await using _ = await HubListener.listen(
    { name: 'hub1', address: hub.listen! },
    {
      refused: why => t.fail(why),
      connected: session => ({
        message(said) {
          if (said.kind === 'report') reports.push(said)
          if (said.kind === 'attach') session.send({ kind: 'refused', channel: said.channel, code: 'full', message })
        },
        request: async () => ({}),
        ended: () => {},
      }),
    },
  )
  const names = Array.from({ length: 100 }, (_, at) => `disk${at}`)
  await using agent = await Agent.open(agentOf(Object.fromEntries(names.map(name => [name, newImage(name)]))))
  await eventually('it reports what the hub said', () => {
    const { volumes = [] } = reports.at(-1) ?? {}
    return volumes.length === names.length && volumes.every(({ why }) => String(why).startsWith('€'))
  })
  t.match(agent.status.groups[0]!.volumes[0]!.state, { state: 'degraded', why: message })
})
