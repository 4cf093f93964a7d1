import { Refusal } from './refusal.js'
import {
  type NodeContent,
  type NodePermission,
  type Nodes,
  ownerOf,
  type StoreNode,
  type Tree,
  type WatchMatch,
} from './tree.js'

interface AccessedNode {
  /** As it was when the transaction first looked at it. */
  readonly base: StoreNode | undefined
  node: StoreNode | undefined
  modified: boolean
  match?: WatchMatch
}

/** Tells watches of a node that a transaction changed. */
export type CommittedChange = (
  path: string,
  match: WatchMatch,
  node: StoreNode | undefined,
  before: readonly NodePermission[] | undefined,
) => void

/**
 * A transaction as C xenstored has it: each node is kept as it was when the transaction first looked at it, and it all
 * counts only if none of these was changed by others meanwhile, be it that they were read, found missing or written.
 */
export class StoreTransaction implements Nodes {
  readonly #tree: Tree
  readonly #limit: number
  readonly #accessed = new Map<string, AccessedNode>()
  #failed = false

  /** `limit`: how many nodes it may look at. */
  constructor(tree: Tree, limit: number) {
    this.#tree = tree
    this.#limit = limit
  }

  get(path: string): StoreNode | undefined {
    return this.#access(path).node
  }

  set(path: string, content: NodeContent): StoreNode {
    const accessed = this.#access(path)
    accessed.node = this.#tree.stamp(content)
    accessed.modified = true
    return accessed.node
  }

  delete(path: string): void {
    const accessed = this.#access(path)
    accessed.node = undefined
    accessed.modified = true
  }

  fail(): void {
    this.#failed = true
  }

  changed(path: string, match: WatchMatch): void {
    const accessed = this.#access(path)
    if (accessed.match !== 'subtree') accessed.match = match
  }

  /** How many more nodes a domain will own after the commit. */
  ownedMore(domid: number): number {
    let more = 0
    for (const { base, node } of this.#accessed.values()) {
      if (node !== undefined && ownerOf(node) === domid) more += 1
      if (base !== undefined && ownerOf(base) === domid) more -= 1
    }
    return more
  }

  /** @throws Refusal EAGAIN, ENOMEM after a failed change */
  commit(tell: CommittedChange): void {
    if (this.#failed) throw new Refusal('ENOMEM')
    for (const [path, { base }] of this.#accessed) {
      if (this.#tree.get(path) !== base) throw new Refusal('EAGAIN')
    }
    for (const [path, { base, node, modified, match }] of this.#accessed) {
      if (!modified) continue
      if (node !== undefined) this.#tree.set(path, node)
      else this.#tree.delete(path)
      if (match !== undefined) tell(path, match, this.#tree.get(path), base?.permissions)
    }
  }

  #access(path: string): AccessedNode {
    let accessed = this.#accessed.get(path)
    if (accessed === undefined) {
      if (this.#accessed.size >= this.#limit) {
        this.#failed = true
        throw new Refusal('ENOSPC')
      }
      const base = this.#tree.get(path)
      accessed = { base, node: base, modified: false }
      this.#accessed.set(path, accessed)
    }
    return accessed
  }
}
