import { printable } from '../../printable.js'
import type { BlockGraph } from './block-graph.js'
import { checkGraph } from './check-graph.js'

/** A block graph as a Mermaid flowchart; dashed is what only the start of COLO adds. */
export function toMermaid(graph: Omit<BlockGraph, 'warnings'>): string {
  checkGraph(graph)
  const { nodes, edges } = graph
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]))
  const lines = ['flowchart TD']
  for (const { id, label } of nodes) lines.push(`  ${names.get(id)}["${label.map(escapeText).join('<br/>')}"]`)
  for (const { from, to, role, later } of edges)
    lines.push(`  ${names.get(from)} ${later ? '-.->' : '-->'}|"${role}"| ${names.get(to)}`)
  return `${lines.join('\n')}\n`
}

/** All but letters, digits and a few harmless signs as Mermaid's entities: it also looks for Markdown, HTML and directives. */
const escapeText = (text: string): string =>
  printable(text).replace(/[^\p{L}\p{N} ./,=-]/gu, char => `#${char.codePointAt(0)};`)
