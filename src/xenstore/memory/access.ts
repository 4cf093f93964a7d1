import type { Access } from '../permissions.js'
import { type Domain, isPrivileged } from './domains.js'
import { Refusal } from './refusal.js'
import { type NodePermission, type Nodes, parentOf, type StoreNode } from './tree.js'

export const canRead = 1
export const canWrite = 2
export const isOwner = 4

const bits: Readonly<Record<Access, number>> = { none: 0, read: canRead, write: canWrite, both: canRead | canWrite }

/** What a domain may do with a node of these permissions: the bits above. */
export function accessOf(domain: Domain, permissions: readonly NodePermission[]): number {
  const concerns = ({ domid }: NodePermission) => domid === domain.domid || domid === domain.target
  const [owner, ...others] = permissions
  if (isPrivileged(domain) || concerns(owner!)) return canRead | canWrite | isOwner
  const own = others.find(permission => permission.ignored !== true && concerns(permission))
  return bits[(own ?? owner!).access]
}

/**
 * A node that a domain may use in some way; undefined where there is none and the domain may know it.
 *
 * @throws Refusal EACCES where it must not know whether there is one, too
 */
export function accessible(nodes: Nodes, domain: Domain, path: string, wanted: number): StoreNode | undefined {
  const node = nodes.get(path)
  if (node !== undefined && (accessOf(domain, node.permissions) & wanted) === wanted) return node
  const above = nearestAbove(nodes, path)
  if (node !== undefined || (accessOf(domain, above.permissions) & wanted) === 0) throw new Refusal('EACCES')
  return undefined
}

/** The same, where there must be one. @throws Refusal EACCES, ENOENT */
export function existing(nodes: Nodes, domain: Domain, path: string, wanted: number): StoreNode {
  const node = accessible(nodes, domain, path, wanted)
  if (node === undefined) throw new Refusal('ENOENT')
  return node
}

function nearestAbove(nodes: Nodes, path: string): StoreNode {
  for (let above = parentOf(path); ; above = parentOf(above)) {
    const node = nodes.get(above)
    if (node !== undefined) return node
  }
}
