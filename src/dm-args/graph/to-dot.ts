import { printable } from '../../printable.js'
import type { BlockGraph } from './block-graph.js'
import { checkGraph } from './check-graph.js'

/** A block graph as a digraph in Graphviz's language; dashed is what only the start of COLO adds. */
export function toDot(graph: Omit<BlockGraph, 'warnings'>): string {
  checkGraph(graph)
  const { nodes, edges } = graph
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]))
  const lines = ['digraph {', '  node [shape=box]']
  for (const { id, label } of nodes) lines.push(`  ${names.get(id)} [label="${label.map(escapeText).join('\\n')}"]`)
  for (const { from, to, role, later } of edges)
    lines.push(`  ${names.get(from)} -> ${names.get(to)} [label="${role}"${later ? ' style=dashed' : ''}]`)
  return `${lines.join('\n')}\n}\n`
}

/** In a quoted string of DOT, which knows escapes and, in labels, HTML's entities. */
const escapeText = (text: string): string =>
  printable(text)
    .replace(/[\\"]/g, char => `\\${char}`)
    .replaceAll('&', '&amp;')
