import type { BlockdevOptions } from '../../dm-args/blockdev/plan-disks.js'
import { blockdevWarnings } from '../../dm-args/disk-warnings.js'
import { buildBlockGraph } from '../../dm-args/graph/build-block-graph.js'
import { toDot } from '../../dm-args/graph/to-dot.js'
import { toMermaid } from '../../dm-args/graph/to-mermaid.js'
import { type EmulatedDisks, tellOf } from './emulated-disks.js'

type GraphForm = 'graph' | 'graph-dot'

/** What QEMU will build for the disks, in a language that draws graphs. */
export function renderGraph(
  form: GraphForm,
  emulated: EmulatedDisks,
  targetOf: BlockdevOptions['targetOf'],
): Iterable<string> {
  const { disks, guest } = emulated
  const graph = tellOf(
    emulated,
    () => blockdevWarnings(disks, guest),
    () => buildBlockGraph(disks, { ...guest, targetOf }),
  )
  return graph === undefined ? [] : [draw(form, graph)]
}

/** That of a guest without disks. */
export const emptyGraph = (form: GraphForm): string => draw(form, { nodes: [], edges: [] })

const draw = (form: GraphForm, graph: Parameters<typeof toDot>[0]): string =>
  form === 'graph' ? toMermaid(graph) : toDot(graph)
