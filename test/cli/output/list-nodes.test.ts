import t from 'tap'
import type { XenstoreNode } from 'xenlight'
import { listNodes } from '#xenlight/cli/output/list-nodes.js'
import { goldenRows } from '../../support/golden.js'

t.test('nodes are listed as xenstore-ls -fp lists them', async t => {
  const rows = goldenRows<{ nodes: XenstoreNode[]; listing: string }>('xenstore-ls.jsonl')
  t.equal(rows.length, 1)
  for (const { nodes, listing } of rows) t.equal(listNodes(nodes), listing)
})

t.test('no nodes are no lines', async t => t.equal(listNodes([]), ''))
