import { accessOf, canRead } from './access.js'
import type { Peer } from './peer.js'
import { type NodePermission, parentOf, type StoreNode, type Tree, type WatchMatch } from './tree.js'

export interface StoreWatch {
  readonly session: Peer
  /** Absolute, or special. */
  readonly path: string
  readonly token: string
  /** How far below the path; infinite without a limit. */
  readonly depth: number
  /** How much of a path's beginning its events leave out: where the watched path was relative. */
  readonly hidden: number
}

/** All watches, in the order in which they were set. */
export class Watches {
  readonly #watches = new Set<StoreWatch>()

  add(watch: StoreWatch): void {
    this.#watches.add(watch)
  }

  find(session: Peer, path: string, token: string): StoreWatch | undefined {
    for (const watch of this.#watches) {
      if (watch.session === session && watch.path === path && watch.token === token) return watch
    }
    return undefined
  }

  delete(watch: StoreWatch): void {
    this.#watches.delete(watch)
  }

  deleteOf(session: Peer): void {
    for (const watch of this.#watches) if (watch.session === session) this.#watches.delete(watch)
  }

  countOf(domid: number): number {
    let count = 0
    for (const { session } of this.#watches) if (session.domain.domid === domid) count += 1
    return count
  }

  /** Sends a change to every watch that it concerns and whose domain may read the node, its parent, or could before. */
  fire(
    tree: Tree,
    path: string,
    match: WatchMatch,
    node: StoreNode | undefined,
    before: readonly NodePermission[] | undefined,
  ): void {
    const told = new Map<Peer, Set<string>>()
    for (const watch of this.#watches) {
      if (!concerns(watch, path, match) || !permitted(watch.session, tree, path, node, before)) continue
      // Two watches with one token get one event where it would be the same, but of special paths.
      const same = `${path.startsWith('@') ? watch.path : watch.hidden}\0${watch.token}`
      const tokens = told.get(watch.session) ?? new Set()
      if (tokens.has(same)) continue
      told.set(watch.session, tokens.add(same))
      sendEvent(watch, path)
    }
  }
}

export const sendEvent = ({ session, token, hidden }: StoreWatch, path: string): void =>
  session.sendEvent(path.slice(hidden), token)

function concerns({ path: watched, depth }: StoreWatch, path: string, match: WatchMatch): boolean {
  const same = path === watched
  if (match === 'exact') return same
  if (match === 'no-depth') return same && depth === Number.POSITIVE_INFINITY
  if (match === 'depth') return same || (Number.isFinite(depth) && depth > 0 && levelsBelow(path, watched) <= depth)
  return same || levelsBelow(path, watched) <= depth
}

/** How many levels a path is below another; NaN, which is within no depth, where it is not. */
function levelsBelow(path: string, above: string): number {
  const start = above === '/' ? 0 : above.length
  if (!path.startsWith(above) || path.charCodeAt(start) !== slash) return Number.NaN
  let levels = 0
  for (let at = start; at !== -1; at = path.indexOf('/', at + 1)) levels += 1
  return levels
}

const slash = 0x2f

function permitted(
  { domain }: Peer,
  tree: Tree,
  path: string,
  node: StoreNode | undefined,
  before: readonly NodePermission[] | undefined,
): boolean {
  const readable = (permissions: readonly NodePermission[] | undefined) =>
    permissions !== undefined && (accessOf(domain, permissions) & canRead) !== 0
  if (readable(before)) return true
  if (node === undefined) return false
  return readable(node.permissions) || readable(tree.get(parentOf(path))?.permissions)
}
