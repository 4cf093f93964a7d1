import { type QmpCommand, takes } from '../command.js'
import { list, number, object, text } from '../reply.js'

/** What stands in QEMU's block graph: a node, a device's or an export's way to one, or a job. */
export interface GraphNode {
  id: number
  kind: 'block-driver' | 'block-backend' | 'block-job' | (string & {})
  /** A node's node-name, a device's id or path; empty where it has none. */
  name: string
}

/** That one stands on another. */
export interface GraphEdge {
  parent: number
  child: number
  /** What it is to its parent: root, file, backing, children.0, target, hidden disk … */
  name: string
  /** What the parent does there. */
  permissions: readonly string[]
}

export interface BlockGraph {
  nodes: readonly GraphNode[]
  edges: readonly GraphEdge[]
}

/** All that QEMU's block layer has, and what stands on what. A command for debugging, which no other one replaces. */
export const queryBlockGraph = {
  name: 'x-debug-query-block-graph',
  takes: takes(),
  reply: (value): BlockGraph => {
    const { nodes, edges } = object(value, 'the graph')
    return {
      nodes: list(nodes, 'its nodes', element => {
        const node = object(element, 'a node')
        return { id: number(node, 'id'), kind: text(node, 'type'), name: text(node, 'name') }
      }),
      edges: list(edges, 'its edges', element => {
        const edge = object(element, 'an edge')
        const { perm } = edge
        return {
          parent: number(edge, 'parent'),
          child: number(edge, 'child'),
          name: text(edge, 'name'),
          permissions: list(perm, 'its permissions', String),
        }
      }),
    }
  },
} satisfies QmpCommand
