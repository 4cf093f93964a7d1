import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer } from 'xenlight/replication'
import { runAgentCommand } from '#xenlight/replication/node/agent-commands.js'
import { eventually } from '../../protocol-d/eventually.js'
import { place } from './place.js'

const group = 'web'

function guestsOf(folder: string) {
  const connect = () => connectNbd({ path: join(folder, 'run/web.root.sock') }, { export: 'web/root' })
  return { connect, leave: join(folder, 'run/web.open') }
}

/** Somebody gets a disk. */
async function reached(connecting: ReturnType<typeof connectNbd>): Promise<void> {
  await using _disk = await connecting
}

t.test('a group is held for a cluster until that gives its leave, which outlives the agent', async t => {
  const { folder, agent } = place(t)
  const { connect } = guestsOf(folder)
  {
    await using one = await Agent.open(agent)
    const ask = (execute: string, more = {}) => runAgentCommand(one, execute, { group, ...more })
    t.match(one.status.groups, [{ guests: 'open', isManaged: false }], 'without a cluster')
    const guest = await connect()
    await ask('hold')
    t.match(one.status.groups, [{ guests: 'held', isManaged: true, clients: 0 }])
    await t.rejects(guest.write(0, Buffer.alloc(512)), 'the guest has lost its disk')
    await t.rejects(connect(), 'and does not get it again')
    await ask('hold')
  }
  {
    await using one = await Agent.open(agent)
    await t.rejects(connect(), 'the agent began anew')
    await runAgentCommand(one, 'open', { group, promotion: 1001 })
    t.match(one.status.groups, [{ guests: 'open', promotion: 1001 }])
    await reached(connect())
  }
  await using one = await Agent.open(agent)
  t.match(one.status.groups, [{ guests: 'open', promotion: 1001 }])
  await reached(connect())
})

t.test('the leave is for one boot of the host', async t => {
  const { folder, agent } = place(t)
  const { connect, leave } = guestsOf(folder)
  {
    await using one = await Agent.open(agent)
    await runAgentCommand(one, 'open', { group, promotion: 1 })
  }
  writeFileSync(
    leave,
    readFileSync(leave, 'utf8').replace(/^\w/, digit => (digit === '0' ? '1' : '0')),
  )
  await using one = await Agent.open(agent)
  t.match(one.status.groups, [{ guests: 'held' }])
  await t.rejects(connect())
  await runAgentCommand(one, 'release', { group })
  t.match(one.status.groups, [{ guests: 'open', isManaged: false }], 'no cluster says anything any more')
  t.notOk(existsSync(leave))
  await reached(connect())
})

t.test('open wants a number, and no group of another way', async t => {
  const { agent } = place(t)
  await using one = await Agent.open(agent)
  for (const promotion of [undefined, '1', -1, 1.5])
    await t.rejects(runAgentCommand(one, 'open', { group, promotion }), { code: 'protocol' })
  await t.rejects(runAgentCommand(one, 'hold', { group: 'other' }), { code: 'not-found' })
})

t.test(
  'a guest of a cluster loses its disks when the other side has taken over; an operator may give them',
  async t => {
    const { folder, agent, hub } = place(t)
    const { connect } = guestsOf(folder)
    await using server = await HubServer.open(hub)
    const control = server.hub.control('owner')
    await using one = await Agent.open(agent)
    const guests = () => one.status.groups[0]!.guests
    const stateOf = () => one.status.groups[0]!.volumes[0]!.state
    const until = (what: string, isSo: () => boolean) =>
      eventually(what, isSo, () => JSON.stringify([one.status, server.status]))
    await runAgentCommand(one, 'open', { group, promotion: 1001 })
    const guest = await connect()
    await until('it is protected', () => stateOf().state === 'protected')
    await until('the hub knows that it has all', () => (server.status.groups[0]!.mayLack ?? 99) < 60)

    await control.failOver(group, { branch: 'cluster-2002' })
    await until('it is held', () => guests() === 'held')
    await t.rejects(guest.write(0, Buffer.alloc(512)), 'the guest writes nothing more')
    await t.rejects(runAgentCommand(one, 'open', { group, promotion: 3001 }), { code: 'fenced' })

    // the disks of a fail-over are found by the agent's names, too, until they are held
    const recovery = () => connectNbd({ path: join(folder, 'n') }, { export: 'web/root' })
    const there = await recovery()
    await there.write(0, Buffer.from('at the hub'))
    await there.flush()
    await control.hold(group)
    t.match(server.status.groups, [{ isHeld: true, state: 'failed-over' }])
    await t.rejects(there.write(0, Buffer.alloc(512)), 'its guest writes nothing more')
    await t.rejects(recovery())
    await control.release(group)
    await reached(recovery())

    await runAgentCommand(one, 'open', { group, promotion: 3001, force: true })
    t.equal(guests(), 'forced')
    await reached(connect())
    await control.discard(group, 'cluster-2002')
    await until('the hub takes it again', () => stateOf().state === 'protected')
    await until('an operator has nothing to say any more', () => guests() === 'open')
  },
)

t.test('a hold at the hub outlives it, and a fail-back ends it', async t => {
  const { folder, agent, hub } = place(t)
  await using one = await Agent.open(agent)
  const isSo = (state: string) => () => one.status.groups[0]!.volumes[0]!.state.state === state
  {
    await using server = await HubServer.open(hub)
    await eventually('it is protected', isSo('protected'))
    await server.hub.control('owner').hold(group)
    t.notOk(server.status.groups[0]!.isHeld, 'there is nothing to hold')
    await server.hub.control('owner').failOver(group, { branch: 'cluster-2002' })
    await server.hub.control('owner').hold(group)
  }
  await using server = await HubServer.open(hub)
  t.match(server.status.groups, [{ isHeld: true }])
  await t.rejects(connectNbd({ path: join(folder, 'n') }, { export: 'web/cluster-2002/root' }))
  await eventually('the agent is there', () => server.status.agents.length > 0)
  await eventually('it is fenced', isSo('failed'))
  await server.hub.control('owner').failBack(group)
  t.match(server.status.groups, [{ state: 'protected', isHeld: undefined, epoch: 3 }])
  await eventually('it is protected again', isSo('protected'))
})
