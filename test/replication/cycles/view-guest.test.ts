import t from 'tap'
import type { Qmp } from 'xenlight/qmp'
import { viewGuest } from '#xenlight/replication/cycles/view-guest.js'

const job = (type: string, status: string) => ({ id: type, type, status, current: 0, total: 0, error: undefined })

t.test('no node is asked for while a job creates an image', async t => {
  const jobs = [
    [job('create', 'running')],
    [job('create', 'created')],
    [job('create', 'concluded'), job('backup', 'running')],
  ]
  const asked: string[] = []
  const qmp = {
    run: async ({ name }: { name: string }) => {
      asked.push(name)
      if (name === 'query-jobs') return jobs.shift()
      return name === 'x-debug-query-block-graph' ? { nodes: [], edges: [] } : []
    },
  }
  const view = await viewGuest(qmp as unknown as Qmp)
  t.strictSame(view.nodeNames(), [])
  t.strictSame(asked.slice(0, 3), ['query-jobs', 'query-jobs', 'query-jobs'])
  t.ok(asked.includes('query-named-block-nodes') && asked.indexOf('query-named-block-nodes') > 2)
})
