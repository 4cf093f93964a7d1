import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { XenlightError } from 'xenlight'
import { connectNbd } from 'xenlight/nbd'
import { Agent, HubServer } from 'xenlight/replication'
import { type ActionName, runAction } from '#xenlight/cluster/actions.js'
import { groupAgent } from '#xenlight/cluster/group-agent.js'
import { agentStates, hubStates } from '#xenlight/cluster/group-view.js'
import { GroupResource } from '#xenlight/cluster/node/group-resource.js'
import { GroupStateFiles } from '#xenlight/cluster/node/group-state-files.js'
import { OcfFailure } from '#xenlight/cluster/ocf-failure.js'
import { commandAtMost, runCommand } from '#xenlight/replication/hub/hub-control.js'
import { runAgentCommand } from '#xenlight/replication/node/agent-commands.js'
import { serveControl } from '#xenlight/replication/node/serve-control.js'
import { eventually } from '../protocol-d/eventually.js'
import { place } from '../replication/node/place.js'
import { PlayedManager } from './played-manager.js'

/** Both services on this machine, and the agent of a cluster of two nodes, `anna` and `berta`, whose manager is played. */
async function served(t: Test, more: Readonly<Record<string, string>> = {}) {
  const all = place(t)
  const { folder } = all
  const at = (name: string) => join(folder, name)
  const cluster = new PlayedManager()
  const failed = (error: Error) => t.fail(error.message)
  const parameters = {
    ...{ group: 'web', agent: 'anna', hub: 'berta', ...more },
    ...{ agent_control: at('a.control'), hub_control: at('h.control') },
    ...{ agent_states: at('states'), hub_states: at('states') },
  }
  const ends: (() => Promise<void> | void)[] = []
  t.teardown(async () => {
    for (const end of ends.reverse()) await end()
  })
  const startHub = async () => {
    const server = await HubServer.open(all.hub)
    const files = await GroupStateFiles.open({
      ...{ folder: at('states'), side: 'hub', states: () => hubStates(server.status), failed },
    })
    const close = await serveControl(
      at('h.control'),
      async (execute, given, gone) =>
        execute === 'hub' ? server.status : runCommand(server.hub.control('owner'), execute, given, gone),
      commandAtMost,
    )
    let isOver = false
    const end = async () => {
      if (isOver) return
      isOver = true
      await close()
      files[Symbol.dispose]()
      await server.close()
    }
    ends.push(end)
    return { server, end }
  }
  const startAgent = async () => {
    const one = await Agent.open(all.agent)
    const files = await GroupStateFiles.open({
      ...{ folder: at('states'), side: 'agent', states: () => agentStates(one.status), failed },
    })
    const close = await serveControl(at('a.control'), (execute, given) => runAgentCommand(one, execute, given))
    let isOver = false
    const end = async () => {
      if (isOver) return
      isOver = true
      await close()
      files[Symbol.dispose]()
      await one.close()
    }
    ends.push(end)
    const isProtected = () =>
      eventually(
        'it is protected',
        () => one.status.groups[0]!.volumes.every(({ state }) => state.state === 'protected'),
        () => JSON.stringify(one.status),
      )
    return { one, end, isProtected }
  }
  const warnings: string[] = []
  const act = (node: string, action: ActionName) => {
    const environment = { instance: 'web', node, timeout: 4000, level: 0, parameters }
    const resource = new GroupResource(environment, { folder: at(node), node: '', commands: '', env: {} }, cluster)
    const host = { cluster, warn: (message: string) => void warnings.push(message) }
    return runAction(action, { agent: groupAgent, resource, environment, host }).catch(error => {
      if (error instanceof OcfFailure) return error.code
      // as the command does
      if (error instanceof XenlightError) return 1
      throw error
    })
  }
  /** Each node's own score. */
  const score = async (node: string) => {
    cluster.score = undefined
    await act(node, 'monitor')
    return cluster.score
  }
  const write = async (socket: string, text: string) => {
    await using disk = await connectNbd({ path: at(socket) }, { export: 'web/root' })
    await disk.write(0, Buffer.from(text))
    await disk.flush()
  }
  const read = async (socket: string, length: number) => {
    await using disk = await connectNbd({ path: at(socket) }, { export: 'web/root' })
    return Buffer.from(await disk.read(0, length)).toString()
  }
  return { ...all, at, cluster, act, score, startHub, startAgent, write, read, warnings }
}

const agentSocket = 'run/web.root.sock'
const hubSocket = 'n'

t.test('a clean switch to the hub and back: nobody is asked, and nothing is lost', async t => {
  const { cluster, act, score, startHub, startAgent, write, read } = await served(t)
  await startHub()
  const { isProtected } = await startAgent()
  await isProtected()
  t.equal(await act('anna', 'monitor'), 8, 'a guest may have the disks: whoever has said so, it is promoted')
  t.equal(await act('berta', 'monitor'), 7)
  t.equal(await act('carla', 'monitor'), 7, 'a node that is none of the two')
  t.equal(await act('carla', 'validate-all'), 2)
  await act('anna', 'stop')
  t.equal(await act('anna', 'monitor'), 7)
  await isProtected()

  for (const node of ['anna', 'berta'])
    for (const action of ['start', 'start', 'monitor'] as const)
      t.equal(await act(node, action), 0, `${node} ${action}`)
  t.equal(await score('anna'), 1000)
  await t.rejects(write(agentSocket, 'early'), 'no guest gets the disks')
  for (const action of ['promote', 'promote'] as const) t.equal(await act('anna', action), 0)
  t.equal(await act('anna', 'monitor'), 8)
  t.equal(await score('berta'), undefined, 'it may lack something')
  await write(agentSocket, 'of anna')
  t.equal(await act('berta', 'promote'), 1)
  t.equal(await act('berta', 'monitor'), 0, 'nothing has happened')

  for (const action of ['demote', 'demote'] as const) t.equal(await act('anna', action), 0)
  const { properties } = cluster
  t.match(properties.get('xenlight-web-clean'), /^cluster-clean-\d+$/)
  t.equal(await act('anna', 'monitor'), 0)
  t.equal(await score('berta'), 500)
  for (const action of ['promote', 'promote'] as const) t.equal(await act('berta', action), 0)
  t.equal(await act('berta', 'monitor'), 191, 'what is written there is there alone')
  t.equal(cluster.only, 'berta')
  t.equal(properties.get('xenlight-web-clean'), undefined)
  t.equal(await read(hubSocket, 7), 'of anna')
  await write(hubSocket, 'of berta')
  t.equal(await score('anna'), undefined, 'its disks are older')
  t.equal(await act('anna', 'promote'), 1)
  await t.rejects(write(agentSocket, 'late'))

  for (const action of ['demote', 'demote'] as const) t.equal(await act('berta', action), 0)
  await t.rejects(write(hubSocket, 'late'))
  await isProtected()
  t.equal(await score('anna'), 1000)
  t.equal(cluster.only, undefined, 'the hub has given it back')
  t.equal(await act('anna', 'promote'), 0)
  t.equal(await read(agentSocket, 8), 'of berta')
  t.equal(await act('berta', 'stop'), 0)
  t.equal(await act('berta', 'monitor'), 7)
})

t.test("the agent's node has gone: what may be lost is said, or an operator promotes the hub", async t => {
  for (const [more, isPromoted] of [
    [{ may_lose: '1h' }, true],
    [{ may_lose: '1ms' }, false],
    [{}, false],
  ] as const)
    await t.test(JSON.stringify(more), async t => {
      const { at, cluster, act, score, startHub, startAgent, write, read } = await served(t, more)
      const { server } = await startHub()
      const { isProtected, end } = await startAgent()
      for (const node of ['anna', 'berta']) await act(node, 'start')
      await isProtected()
      await act('anna', 'promote')
      await write(agentSocket, 'of anna')
      await eventually('the hub knows until when it had all', () => server.status.groups[0]!.mayLack !== undefined)
      // its last word is that it has sent all
      await isProtected()
      await end()
      t.equal(await score('berta'), isPromoted ? 100 : undefined)
      t.equal(await act('berta', 'promote'), isPromoted ? 0 : 1)
      if (isPromoted) t.match(cluster.properties.get('xenlight-web-lost'), /^\d+002 berta up to \d+\.\d s$/)
      else {
        cluster.properties.set('xenlight-web-force', 'berta anna burnt down')
        t.equal(await score('berta'), 1)
        t.equal(await act('berta', 'promote'), 0)
        t.match(cluster.properties.get('xenlight-web-forced'), /^\d+002 berta anna burnt down$/)
      }
      t.equal(await act('berta', 'monitor'), 191)
      t.equal(await read(hubSocket, 7), 'of anna')

      // its host begins anew, and nobody tells it
      await server.close()
      rmSync(at('run/web.open'))
      const again = await startAgent()
      rmSync(at('anna'), { recursive: true })
      t.equal(await act('anna', 'start'), 0)
      t.equal(await act('anna', 'monitor'), 190)
      t.equal(await score('anna'), undefined, 'the cluster knows that its disks are older')
      t.equal(await act('anna', 'promote'), 1)
      await again.end()
    })
})

t.test("the hub has gone: the agent's node goes on, and is demoted without it", async t => {
  const { cluster, act, score, startHub, startAgent, write } = await served(t)
  const { end } = await startHub()
  const { isProtected } = await startAgent()
  for (const node of ['anna', 'berta']) await act(node, 'start')
  await isProtected()
  await act('anna', 'promote')
  await end()
  t.equal(await act('berta', 'monitor'), 7)
  await eventually('the agent sees it', async () => (await act('anna', 'monitor')) === 191)
  await write(agentSocket, 'alone')
  t.equal(await act('anna', 'demote'), 0)
  t.equal(cluster.properties.get('xenlight-web-clean'), undefined)
  t.equal(await act('anna', 'monitor'), 190)
  t.equal(await score('anna'), 100)

  const { server } = await startHub()
  await isProtected()
  t.equal(await act('berta', 'start'), 0)
  t.equal(await score('berta'), undefined, 'nobody has said that it has all')
  t.equal(await score('anna'), 1000)
  t.equal(await score('berta'), 500, 'now it is said')
  t.equal(server.status.groups[0]!.state, 'protected')
})

t.test('an operator promotes the older side; the fail-over is not given back then', async t => {
  const { cluster, act, startHub, startAgent, read, write } = await served(t, { may_lose: '1h' })
  const { server } = await startHub()
  const { isProtected } = await startAgent()
  for (const node of ['anna', 'berta']) await act(node, 'start')
  await isProtected()
  await act('anna', 'promote')
  await write(agentSocket, 'of anna')
  await act('anna', 'demote')
  t.equal(await act('berta', 'promote'), 0)
  await write(hubSocket, 'of berta')
  // as xl-cluster force does
  cluster.properties.set('xenlight-web-force', 'anna berta burnt down')
  cluster.only = 'anna'
  t.equal(await act('berta', 'demote'), 0)
  t.match(server.status.groups, [{ state: 'failed-over', isHeld: true }])
  t.equal(await act('anna', 'promote'), 0)
  t.equal(await read(agentSocket, 7), 'of anna')
  t.equal(await act('anna', 'monitor'), 191)
  t.equal(cluster.only, 'anna')
  await server.hub.control('owner').discard('web', server.status.groups[0]!.branches[0]!.name)
  await isProtected()
  t.equal(await act('anna', 'monitor'), 8)
  t.equal(cluster.only, undefined)
})

t.test('what is not certain is no 7', async t => {
  const { at, act, startAgent } = await served(t)
  t.equal(await act('anna', 'monitor'), 7, 'nobody is there')
  const lock = at('states/agent.lock')
  const { end } = await startAgent()
  t.ok(existsSync(lock))
  await end()
  t.equal(await act('anna', 'monitor'), 7)
  t.equal(await act('anna', 'start'), 1, 'a service that is not there is waited for in vain')
  // one that has the lock, and does not answer
  const files = await GroupStateFiles.open({
    ...{ folder: at('states'), side: 'agent', states: () => new Map(), failed: error => t.fail(error.message) },
  })
  for (const action of ['monitor', 'promote', 'demote', 'stop'] as const) t.equal(await act('anna', action), 1, action)
  files[Symbol.dispose]()
})

t.test('parameters that are wrong are wrong on all nodes', async t => {
  for (const more of [
    { may_lose: 'much' },
    { hub: 'anna' },
    { group: '../web' },
    { agent: 'an na' },
    { group: '' },
  ] as const) {
    const { act } = await served(t, more as Readonly<Record<string, string>>)
    t.equal(await act('anna', 'validate-all'), 6, JSON.stringify(more))
  }
})

t.test('state files: one service of a kind, and none of a life before', async t => {
  const { at } = await served(t)
  const states = () => new Map([['web', { monitor: 'running' as const, score: 7, promotion: 0, state: 'here' }]])
  const failed = (error: Error) => t.fail(error.message)
  const options = { folder: at('states'), side: 'hub' as const, states, failed }
  {
    using _files = await GroupStateFiles.open(options)
    t.match(readFileSync(at('states/web.hub'), 'utf8'), /^monitor=running\nscore=7\npromotion=0\nstate=here$/m)
    await t.rejects(GroupStateFiles.open(options), /another process has the state files/)
  }
  t.notOk(existsSync(at('states/web.hub')))
})
