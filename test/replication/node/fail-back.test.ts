import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer } from 'xenlight/replication'
import { AgentSide } from '#xenlight/replication/hub/agent-side.js'
import { returnCommands } from '#xenlight/replication/node/hub-requests.js'
import type { ServedGroup } from '#xenlight/replication/node/served-group.js'
import { encodeMessage } from '#xenlight/replication/wire/message-codec.js'
import type { Session } from '#xenlight/replication/wire/session.js'
import { eventually } from '../../protocol-d/eventually.js'
import { mebibyte, place } from './place.js'

t.test('an agent that nobody tells that a fail-back is through finds it out', async t => {
  const { folder, agent, hub } = place(t)
  await using server = await HubServer.open(hub)
  const control = server.hub.control('owner')
  await using one = await Agent.open(agent)
  const stateOf = () => one.status.groups[0]!.volumes[0]!.state
  const protectedNow = () =>
    eventually(
      'it is protected',
      () => stateOf().state === 'protected',
      () => JSON.stringify(one.status),
    )
  await protectedNow()
  await control.failOver('web', { branch: 'recovery' })
  await eventually('the old primary is fenced', () => stateOf().state === 'failed')
  {
    await using disk = await connectNbd({ path: join(folder, 'n') }, { export: 'web/recovery/root' })
    await disk.write(mebibyte, Buffer.from('of the recovery'))
    await disk.flush()
  }
  const caughtUp = async () => {
    throw new Error('all is copied')
  }
  await t.rejects(control.failBack('web', { caughtUp }), { message: 'all is copied' })
  await control.endFailOver('web', 'anna')
  await protectedNow()
  await using disk = await connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
  t.equal(Buffer.from(await disk.read(mebibyte, 15)).toString(), 'of the recovery')
})

t.test('what differs in very many places is told in parts that have room in a message', async t => {
  const all = Array.from({ length: 2500 }, (_, at) => ({ offset: 2 ** 50 + 2 * at * 65_536, length: 65_536 }))
  const served = {
    beginReturn: async () => {},
    differing: (_: number, from: number, most: number) => all.filter(({ offset }) => offset >= from).slice(0, most),
  } as unknown as ServedGroup
  const { differing } = returnCommands
  const session = {
    async ask({ arguments: given }: { arguments: Record<string, unknown> }) {
      const result = await differing!(served, given)
      encodeMessage({ kind: 'done', channel: 1, request: 1, result })
      return result
    },
  } as unknown as Session
  t.strictSame(await new AgentSide(session, 'anna', 'web', 1).differing(0), all)
})
