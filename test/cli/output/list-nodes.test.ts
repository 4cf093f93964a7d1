import t from 'tap'
import type { XenstoreNode } from 'xenlight'
import { listNodes } from '#xenlight/cli/output/list-nodes.js'
import { goldenRows } from '../../support/golden.js'

/** The nodes of each disk: a disk's first node is libxl's directory of it. */
function byDisk(nodes: readonly XenstoreNode[]): XenstoreNode[][] {
  const disks: XenstoreNode[][] = []
  for (const node of nodes) {
    if (/^\/libxl\/[0-9]+\/device\/[a-z_]+\/[0-9]+$/.test(node.path)) disks.push([])
    disks.at(-1)!.push(node)
  }
  return disks
}

t.test('nodes are listed as xenstore-ls -fp lists them', async t => {
  const rows = goldenRows<{ nodes: XenstoreNode[]; listing: string }>('xenstore-ls.jsonl')
  t.equal(rows.length, 1)
  for (const { nodes, listing } of rows) {
    const disks = byDisk(nodes)
    t.ok(disks.length > 1)
    t.equal([...listNodes(disks, disk => disk)].join(''), listing)
  }
})

t.test('no devices are no lines', async t => t.strictSame([...listNodes([], () => [])], []))
