import type { Buffer } from 'node:buffer'
import type { Permission } from '../permissions.js'

/** A permission of a node, of all that inherited it, and of transactions that have seen these. */
export interface NodePermission extends Permission {
  /** The domain did not exist when this was given, or is gone: one that gets its number later must not have it. */
  ignored?: boolean
}

/** A node as it was written once. Never changed, so that whoever holds one has a snapshot. */
export interface StoreNode {
  readonly value: Buffer
  readonly permissions: readonly NodePermission[]
  /** The children's names, oldest first, each with a NUL behind it: what DIRECTORY answers. */
  readonly children: string
  /** Another one for every change in the whole store. */
  readonly generation: number
}

export type NodeContent = Omit<StoreNode, 'generation'>

/**
 * Which watches a change concerns: those of that very path ('exact'), those of paths above it too ('subtree'), for special
 * paths those without a depth ('no-depth'), or those above with a depth ('depth').
 */
export type WatchMatch = 'exact' | 'subtree' | 'no-depth' | 'depth'

/** What requests read and change: the store's tree, or a transaction's view of it. */
export interface Nodes {
  get(path: string): StoreNode | undefined
  set(path: string, content: NodeContent): void
  delete(path: string): void
  /** A change failed in the middle: a transaction can no longer be committed. */
  fail(): void
  /** A change that watches are to hear of: `node` as it is or last was, with other permissions before where these changed. */
  changed(path: string, match: WatchMatch, node: StoreNode, before?: readonly NodePermission[]): void
}

export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0)) || '/'

export const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export const childPath = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)

export const namesOf = (children: string): string[] => (children === '' ? [] : children.slice(0, -1).split('\0'))

export const withoutName = (children: string, name: string): string =>
  `\0${children}`.replace(`\0${name}\0`, '\0').slice(1)

/** All nodes by their paths, and how many each domain owns; special ones do not count. */
export class Tree {
  readonly #nodes = new Map<string, StoreNode>()
  readonly #owned = new Map<number, number>()
  #generation = 0

  get(path: string): StoreNode | undefined {
    return this.#nodes.get(path)
  }

  set(path: string, content: NodeContent): StoreNode {
    const node = this.stamp(content)
    this.#count(path, -1)
    this.#nodes.set(path, node)
    this.#count(path, 1)
    return node
  }

  delete(path: string): void {
    this.#count(path, -1)
    this.#nodes.delete(path)
  }

  stamp({ value, permissions, children }: NodeContent): StoreNode {
    this.#generation += 1
    return { value, permissions, children, generation: this.#generation }
  }

  ownedBy(domid: number): number {
    return this.#owned.get(domid) ?? 0
  }

  #count(path: string, by: number): void {
    const node = this.#nodes.get(path)
    if (node === undefined || path.startsWith('@')) return
    const owner = ownerOf(node)
    const count = this.ownedBy(owner) + by
    if (count === 0) this.#owned.delete(owner)
    else this.#owned.set(owner, count)
  }
}

export const ownerOf = ({ permissions }: NodeContent): number => permissions[0]!.domid
