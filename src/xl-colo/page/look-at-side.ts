import { type Limits, longestTimeout } from '../../link/limits.js'
import type { SideLook } from '../../page/colo-page.js'
import type { BlockParts, GraphPart } from '../../page/layered-graph.js'
import { queryBlockGraph } from '../../qmp/commands/query-block-graph.js'
import { queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import { queryStatus } from '../../qmp/commands/query-status.js'
import type { Qmp } from '../../qmp/qmp.js'

/**
 * What a side's QEMU shows a page; changes nothing and does not fail. One command waits at a time, for as long as QEMU takes or the connection
 * is there.
 */
export async function lookAtSide(qmp: Qmp, signal: AbortSignal): Promise<SideLook> {
  // one that was given up would wait in QEMU still
  const limits = { signal, timeout: longestTimeout }
  try {
    const { running } = await qmp.run(queryStatus, undefined, limits)
    return { isRunning: running, graph: await partsOf(qmp, limits) }
  } catch (error) {
    return { error: error as Error }
  }
}

async function partsOf(qmp: Qmp, limits: Limits): Promise<BlockParts> {
  const { nodes, edges } = await qmp.run(queryBlockGraph, undefined, limits)
  const named = await qmp.run(queryNamedBlockNodes, { flat: true }, limits)
  const details = new Map(named.map(node => [node.nodeName, node]))
  return {
    nodes: nodes.map(({ id, kind, name }): GraphPart => {
      if (kind === 'block-backend') return { id, kind: 'device', name }
      if (kind === 'block-job') return { id, kind: 'job', name }
      const { driver, file = '', bitmaps = [] } = details.get(name) ?? {}
      const path = file.startsWith('json:') ? '' : file
      return { id, kind: 'node', name, driver, file: path, bitmaps: bitmaps.flatMap(one => one.name || []) }
    }),
    edges: edges.map(({ parent, child, name }) => ({ from: parent, to: child, role: name })),
  }
}
