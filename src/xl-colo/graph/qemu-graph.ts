import type { Limits } from '../../link/limits.js'
import { queryBlockGraph } from '../../qmp/commands/query-block-graph.js'
import { type BlockNode, queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import type { Qmp } from '../../qmp/qmp.js'
import type { TextGraph } from './draw-graph.js'

/** What a QEMU's block layer is made of: devices and exports, jobs, and the nodes below them. @throws QmpError */
export async function qemuGraph(qmp: Qmp, limits: Limits): Promise<TextGraph> {
  const [{ nodes, edges }, named] = await Promise.all([
    qmp.run(queryBlockGraph, undefined, limits),
    qmp.run(queryNamedBlockNodes, { flat: true }, limits),
  ])
  const details = new Map(named.map(node => [node.nodeName, node]))
  return {
    nodes: nodes.map(({ id, kind, name }) => ({ id, label: labelOf(kind, name, details.get(name)) })),
    edges: edges.map(({ parent, child, name }) => ({ from: parent, to: child, role: name })),
  }
}

function labelOf(kind: string, name: string, node: BlockNode | undefined): string {
  const known = name === '' ? 'without a name' : name
  if (kind === 'block-backend') return `device or export ${known}`
  if (kind === 'block-job') return `job ${known}`
  if (node === undefined) return known
  const bitmaps = node.bitmaps.flatMap(({ name }) => (name === '' ? [] : [name]))
  const file = node.file === '' || node.file.startsWith('json:') ? '' : ` ${node.file}`
  return `${node.driver} ${name}${file}${bitmaps.length === 0 ? '' : ` (dirty bitmap ${bitmaps.join(', ')})`}`
}
