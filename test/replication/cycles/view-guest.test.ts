import t from 'tap'
import type { Qmp } from 'xenlight/qmp'
import { viewGuest } from '#xenlight/replication/cycles/view-guest.js'

const job = (type: string, status: string) => ({ id: type, type, status, current: 0, total: 0, error: undefined })

const node = (name: string) => ({ id: 1, kind: 'block-driver', name })
const filter = 'xl-0123456789-backup-filter'

/** What QEMU is asked, where it answers so, the last answer again and again. */
async function asked(answers: { jobs?: readonly unknown[]; nodes?: readonly unknown[] }[]): Promise<string[]> {
  const names: string[] = []
  const qmp = {
    run: async ({ name }: { name: string }) => {
      names.push(name)
      const { jobs = [], nodes = [] } = answers[0] ?? {}
      if (name === 'x-debug-query-block-graph') return { nodes, edges: [] }
      if (name !== 'query-jobs') return []
      answers.shift()
      return jobs
    },
  }
  await viewGuest(qmp as unknown as Qmp)
  return names
}

for (const [what, answers] of [
  [
    'while a job creates an image',
    [
      { jobs: [job('create', 'running')] },
      { jobs: [job('create', 'created')] },
      { jobs: [job('create', 'concluded'), job('backup', 'running')] },
    ],
  ],
  [
    'while the filter of a backup is there',
    [{ nodes: [node(filter)] }, { nodes: [node(filter)] }, { nodes: [node('disk')] }],
  ],
] as const)
  t.test(`no node is asked for ${what}`, async t => {
    const names = await asked([...answers])
    const before = names.slice(0, names.indexOf('query-named-block-nodes'))
    t.equal(before.filter(name => name === 'query-jobs').length, 3)
  })

t.test('beneath a backup that an agent has left they are asked for: it does not end by itself', async t => {
  const left = { ...job('backup', 'pending'), id: filter.replace('-filter', '') }
  const names = await asked([{ jobs: [left], nodes: [node(filter)] }])
  const before = names.slice(0, names.indexOf('query-named-block-nodes'))
  t.strictSame(before, ['x-debug-query-block-graph', 'query-jobs', 'x-debug-query-block-graph'])
})
