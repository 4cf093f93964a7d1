import { isDeepStrictEqual } from 'node:util'
import type { BlockGraph, GraphEdge, GraphNode } from './commands/query-block-graph.js'
import { queryBlockGraph } from './commands/query-block-graph.js'
import { type BlockNode, type DirtyBitmap, queryNamedBlockNodes } from './commands/query-named-block-nodes.js'
import type { Qmp, QmpRequestOptions } from './qmp.js'

/** A node of the block graph, with what both of QEMU's lists know of it. */
export interface ViewedNode {
  id: number
  nodeName: string
  driver: string
  readOnly: boolean
  virtualSize: number
  /** A path, or `json:{…}`. */
  file: string
  /** How many bytes of its file are in use; undefined where QEMU does not know. */
  actualSize: number | undefined
  bitmaps: readonly DirtyBitmap[]
}

/** A QEMU's block graph at one moment. */
export class BlockView {
  readonly #nodes: ReadonlyMap<number, GraphNode>
  readonly #details: ReadonlyMap<string, BlockNode>
  readonly #edges: readonly GraphEdge[]

  constructor({ nodes, edges }: BlockGraph, details: readonly BlockNode[]) {
    this.#nodes = new Map(nodes.map(node => [node.id, node]))
    this.#edges = edges
    this.#details = new Map(details.map(node => [node.nodeName, node]))
  }

  /** The node that a disk stands on: of that node-name, or below the drive of that id (`-drive`). */
  disk(name: string): ViewedNode | undefined {
    for (const node of this.#nodes.values()) {
      if (node.name !== name) continue
      if (node.kind === 'block-driver') return this.#viewed(node)
      if (node.kind === 'block-backend') return this.child(node.id, 'root')
    }
    return undefined
  }

  /** What stands on nodes from outside: guests' devices and drives, by their id or path, with the node that each stands on. */
  backends(): { name: string; root: ViewedNode | undefined }[] {
    return [...this.#nodes.values()]
      .filter(({ kind, name }) => kind === 'block-backend' && name !== '')
      .map(({ id, name }) => ({ name, root: this.child(id, 'root') }))
  }

  /** The names of all nodes. */
  nodeNames(): string[] {
    return [...this.#details.keys()]
  }

  /** The jobs that work on a node, by their ids. */
  jobsOn(node: number): string[] {
    return this.#edges.flatMap(({ parent, child }) => {
      const job = child === node ? this.#nodes.get(parent) : undefined
      return job?.kind === 'block-job' ? [job.name] : []
    })
  }

  /** The node of that node-name. */
  node(nodeName: string): ViewedNode | undefined {
    for (const node of this.#nodes.values()) if (node.name === nodeName) return this.#viewed(node)
    return undefined
  }

  /** What stands below a node, by what it is to it: `file`, `children.1`. */
  child(parent: number, name: string): ViewedNode | undefined {
    const edge = this.#edges.find(edge => edge.parent === parent && edge.name === name)
    return edge && this.#viewed(this.#nodes.get(edge.child))
  }

  /** All that stands below a node, in QEMU's order, with what it is to it. */
  children(parent: number): { name: string; node: ViewedNode }[] {
    return this.#edges.flatMap(({ parent: its, child, name }) => {
      const node = its === parent ? this.#viewed(this.#nodes.get(child)) : undefined
      return node === undefined ? [] : [{ name, node }]
    })
  }

  /** The nodes that stand on one, as what. */
  parents(child: number): { as: string; node: ViewedNode }[] {
    return this.#edges.flatMap(({ parent, child: its, name }) => {
      const node = its === child ? this.#viewed(this.#nodes.get(parent)) : undefined
      return node === undefined ? [] : [{ as: name, node }]
    })
  }

  /** Whether a device of the guest's stands on a node, or somebody else from outside the graph. */
  hasUser(node: number): boolean {
    return this.#edges.some(({ parent, child }) => child === node && this.#nodes.get(parent)?.kind === 'block-backend')
  }

  /** What the lowest node has open: of the upper ones, QEMU says it with all their options. */
  #fileOf(node: GraphNode, own: string): string {
    const below = this.#edges.find(({ parent, name }) => parent === node.id && name === 'file')
    const file = below && this.#nodes.get(below.child)
    const details = file && this.#details.get(file.name)
    return file === undefined || details === undefined ? own : this.#fileOf(file, details.file)
  }

  #viewed(node: GraphNode | undefined): ViewedNode | undefined {
    if (node?.kind !== 'block-driver') return undefined
    const details = this.#details.get(node.name)
    if (details === undefined) return undefined
    const { backingFile: _, ...rest } = details
    return { id: node.id, ...rest, file: this.#fileOf(node, details.file) }
  }
}

/** How often the graph may change under a look. */
const mostLooks = 50

/**
 * Looks at a QEMU's block graph. No command gives all of it: the graph is read before and after what is known of its nodes, again
 * until both are the same.
 *
 * @throws QmpError; the last look is taken where it never stands still
 */
export async function viewBlocks(qmp: Qmp, options?: QmpRequestOptions): Promise<BlockView> {
  for (let look = 1; ; look++) {
    const [before, nodes, after] = await Promise.all([
      qmp.run(queryBlockGraph, undefined, options),
      qmp.run(queryNamedBlockNodes, { flat: true }, options),
      qmp.run(queryBlockGraph, undefined, options),
    ])
    if (look === mostLooks || isDeepStrictEqual(before, after)) return new BlockView(after, nodes)
  }
}
