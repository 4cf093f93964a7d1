import type { BlockdevOptions } from '../../dm-args/blockdev/plan-disks.js'
import { buildBlockGraph } from '../../dm-args/graph/build-block-graph.js'
import { toDot } from '../../dm-args/graph/to-dot.js'
import { toMermaid } from '../../dm-args/graph/to-mermaid.js'
import { type EmulatedDisks, tellOf } from './render-arguments.js'

/** What QEMU will build for the disks, in a language that draws graphs. */
export function renderGraph(
  form: 'graph' | 'graph-dot',
  emulated: EmulatedDisks,
  targetOf: BlockdevOptions['targetOf'],
): Iterable<string> {
  const { disks, guest } = emulated
  const graph = tellOf(emulated, () => buildBlockGraph(disks, { ...guest, targetOf }))
  if (graph === undefined) return []
  return [form === 'graph' ? toMermaid(graph) : toDot(graph)]
}
