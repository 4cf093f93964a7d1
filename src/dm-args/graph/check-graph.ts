import { checkArray, checkObject, checkText } from '../../check-argument.js'
import type { BlockGraph } from './block-graph.js'

/** For callers without types. */
export function checkGraph(graph: Omit<BlockGraph, 'warnings'>): void {
  checkObject('graph', graph, 'what buildBlockGraph returns')
  checkArray('graph.nodes', graph.nodes, 'nodes')
  for (const [index, node] of graph.nodes.entries()) {
    const name = `graph.nodes[${index}]`
    checkObject(name, node, 'a node')
    checkText(`${name}.id`, node.id)
    checkArray(`${name}.label`, node.label, 'lines')
    for (const line of node.label) checkText(`each line of ${name}.label`, line)
  }
  checkArray('graph.edges', graph.edges, 'edges')
  for (const [index, edge] of graph.edges.entries()) {
    const name = `graph.edges[${index}]`
    checkObject(name, edge, 'an edge')
    for (const key of ['from', 'to', 'role'] as const) checkText(`${name}.${key}`, edge[key])
  }
}
