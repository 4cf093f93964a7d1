import t from 'tap'
import { type ActionName, runAction } from '#xenlight/cluster/actions.js'
import type { Resource } from '#xenlight/cluster/agent.js'
import type { ClusterView } from '#xenlight/cluster/cluster-view.js'
import { ocfCodes } from '#xenlight/cluster/exit-code.js'
import { remusAgent } from '#xenlight/cluster/remus-agent.js'
import { PlayedManager } from './played-manager.js'

/** A resource that does what it is told, and notes it. */
class PlayedResource implements Resource {
  served: boolean | undefined = true
  state: ClusterView = { monitor: 'running', score: 1000, promotion: 0 }
  readonly done: string[] = []

  validate = async (): Promise<void> => {}
  isServed = async (): Promise<boolean | undefined> => this.served
  view = async (): Promise<ClusterView> => this.state

  async start(): Promise<void> {
    this.done.push('start')
    this.served = true
  }

  async stop(): Promise<void> {
    this.done.push('stop')
    this.served = false
  }

  async promote({ number, force }: { number: number; force: boolean }): Promise<void> {
    this.done.push(`promote ${number}${force ? ' by force' : ''}`)
    this.state = { ...this.state, monitor: 'promoted', promotion: number }
  }

  async demote(): Promise<void> {
    this.done.push('demote')
    this.state = { ...this.state, monitor: 'running' }
  }
}

function played(node = 'berta', { level = 0, more = {} } = {}) {
  const cluster = new PlayedManager()
  const resource = new PlayedResource()
  const warnings: string[] = []
  const parameters = { nodes: 'anna=10.0.0.1:7800 berta=10.0.0.2:7800', ...more }
  const environment = { instance: 'web', node, timeout: 1000, level, parameters }
  const host = { cluster, warn: (message: string) => void warnings.push(message) }
  const run = (action: ActionName) => runAction(action, { agent: remusAgent, resource, environment, host })
  return { cluster, resource, warnings, run }
}

t.test('start and stop can be asked for twice', async t => {
  const { resource, cluster, run } = played()
  resource.served = false
  for (const action of ['start', 'start', 'stop', 'stop'] as const) t.equal(await run(action), ocfCodes.success)
  t.same(resource.done, ['start', 'stop'])
  t.equal(cluster.score, undefined)
})

for (const [what, served, monitor, code] of [
  ['nothing runs', false, 'running', 7],
  ['a Secondary', true, 'running', 0],
  ['a Primary', true, 'promoted', 8],
  ['a Primary without a replica', true, 'degraded-promoted', 191],
  ['a Primary that failed', true, 'failed-promoted', 9],
  ['a Secondary that failed', true, 'failed', 1],
] as const)
  t.test(`monitor: ${what}`, async t => {
    const { resource, cluster, run } = played()
    resource.served = served
    resource.state = { monitor, score: 77, promotion: 0 }
    t.equal(await run('monitor').catch(({ code }) => code), code)
    t.equal(cluster.score, served ? 77 : undefined)
  })

t.test('where deep monitors alone report that there is no replica', async t => {
  for (const [monitor, level, code] of [
    ['degraded-promoted', 0, 8],
    ['degraded-promoted', 10, 191],
    ['degraded', 0, 0],
    ['degraded', 10, 190],
  ] as const) {
    const { resource, run } = played('berta', { level, more: { report_degraded: 'deep' } })
    resource.state = { monitor, score: 77, promotion: 0 }
    t.equal(await run('monitor'), code, `${monitor}, level ${level}`)
  }
})

t.test('what is not certain is no 7', async t => {
  const { resource, run } = played()
  resource.served = undefined
  for (const action of ['monitor', 'demote', 'promote'] as const)
    await t.rejects(run(action), { code: ocfCodes.genericError }, action)
})

t.test('promote: the number is in the cluster before it is given, and no other node gives it', async t => {
  const { resource, cluster, run } = played()
  t.equal(await run('promote'), ocfCodes.success)
  t.same(cluster.changes, ['xenlight-web-promotion=1002'])
  t.same(resource.done, ['promote 1002'])
  t.equal(await run('promote'), ocfCodes.success, 'once more')
  t.same(resource.done, ['promote 1002'])
})

t.test('promote: the number follows what the cluster has seen, and what the node has', async t => {
  for (const [property, seen, number] of [
    ['3001', 0, 4002],
    ['3002', 5001, 6002],
    ['none of ours', 0, 1002],
    ['-5', 0, 1002],
  ] as const) {
    const { resource, cluster, run } = played()
    cluster.properties.set('xenlight-web-promotion', property)
    resource.state = { ...resource.state, promotion: seen }
    await run('promote')
    t.same(resource.done, [`promote ${number}`])
  }
})

t.test('promote: not without quorum, and not what is behind', async t => {
  for (const [set, why] of [
    [(cluster: PlayedManager) => (cluster.quorum = false), /quorum/],
    [(cluster: PlayedManager) => (cluster.only = 'anna'), /anna went on alone/],
  ] as const) {
    const { resource, cluster, run } = played()
    set(cluster)
    await t.rejects(run('promote'), { code: ocfCodes.genericError, message: why })
    t.same([resource.done, cluster.changes], [[], []], 'nothing was changed')
  }
})

t.test('promote: without fencing it says so', async t => {
  const { cluster, warnings, run } = played()
  cluster.fencing = false
  await run('promote')
  t.match(warnings.join(), /stonith-enabled/)
})

t.test("promote: an operator's word is for one node, counts once, and is recorded", async t => {
  const { resource, cluster, run } = played()
  cluster.only = 'anna'
  cluster.properties.set('xenlight-web-force', 'anna by mistake')
  await t.rejects(run('promote'), { message: /anna went on alone/ })
  cluster.properties.set('xenlight-web-force', 'berta anna burnt down')
  resource.state = { ...resource.state, score: undefined }
  await run('monitor')
  t.equal(cluster.score, 1, 'so that it is promoted at all')
  await run('promote')
  t.same(resource.done, ['promote 1002 by force'])
  t.equal(cluster.properties.get('xenlight-web-forced'), '1002 berta anna burnt down')
  t.equal(cluster.properties.has('xenlight-web-force'), false)
})

t.test('demote and promote of what does not run', async t => {
  const { resource, run } = played()
  resource.served = false
  for (const action of ['demote', 'promote'] as const) await t.rejects(run(action), { code: ocfCodes.notRunning })
})

t.test('notify says the score anew, and never fails for what does not run', async t => {
  const { resource, cluster, run } = played()
  t.equal(await run('notify'), 0)
  t.equal(cluster.score, 1000)
  resource.served = false
  t.equal(await run('notify'), 0)
})
