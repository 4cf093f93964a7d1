import { Buffer } from 'node:buffer'
import { type Domain, type Domains, isPrivileged } from './domains.js'
import { Refusal } from './refusal.js'
import { childPath, lastName, type NodeContent, type Nodes, namesOf, parentOf, withoutName } from './tree.js'

/** Writes a node that exists. @throws Refusal ENOSPC where it would be larger than the domain may make one */
export function setNode(nodes: Nodes, domains: Domains, domain: Domain, path: string, content: NodeContent): void {
  checkSizes(nodes, domains, domain, [content])
  nodes.set(path, content)
}

/**
 * Makes a node and those above it that are missing, with the permissions of the nearest one above; a guest owns what it
 * makes.
 *
 * @throws Refusal ENOSPC where that would be more nodes than `room`, or a larger one than the domain may make
 */
export function createNode(
  nodes: Nodes,
  { domains, domain, room }: { domains: Domains; domain: Domain; room: number },
  path: string,
  value: Buffer,
): void {
  const missing = [path]
  let above = parentOf(path)
  let parent = nodes.get(above)
  for (; parent === undefined; parent = nodes.get(above)) {
    missing.push(above)
    above = parentOf(above)
  }
  if (missing.length > room) throw new Refusal('ENOSPC')

  const [first, ...others] = parent.permissions
  const permissions = isPrivileged(domain) ? parent.permissions : [{ ...first!, domid: domain.domid }, ...others]
  const name = `${lastName(missing.at(-1)!)}\0`
  const changes: [string, NodeContent][] = [[above, { ...parent, children: parent.children + name }]]
  for (let level = missing.length - 1; level >= 0; level -= 1) {
    const children = level === 0 ? '' : `${lastName(missing[level - 1]!)}\0`
    changes.push([missing[level]!, { value: level === 0 ? value : nothing, permissions, children }])
  }
  checkSizes(
    nodes,
    domains,
    domain,
    changes.map(([, content]) => content),
  )
  for (const [changed, content] of changes) nodes.set(changed, content)
}

/**
 * Removes a node and all below it, the lowest first, so that each one's watches hear of it.
 *
 * @throws Refusal EINVAL where there is nothing above it, as a transaction may see it that others have overtaken
 */
export function removeNode(nodes: Nodes, path: string): void {
  const above = parentOf(path)
  const parent = nodes.get(above)
  if (parent === undefined) throw new Refusal('EINVAL')
  for (const removed of withAllBelow(nodes, path).reverse()) {
    const node = nodes.get(removed)
    if (node === undefined) continue
    nodes.delete(removed)
    nodes.changed(removed, removed === path ? 'subtree' : 'exact', node)
  }
  nodes.set(above, { ...parent, children: withoutName(parent.children, lastName(path)) })
}

/** Removes the nodes of a domain that is no more, and takes its rights to others away. */
export function removeDomainNodes(nodes: Nodes, domid: number): void {
  for (const path of [...withAllBelow(nodes, '/'), ...specialPaths]) {
    const node = nodes.get(path)
    if (node === undefined) continue
    const [owner, ...others] = node.permissions
    for (const permission of others) if (permission.domid === domid) permission.ignored = true
    if (owner!.domid !== domid) continue
    if (path.startsWith('@') || path === '/') {
      nodes.set(path, { ...node, permissions: [{ domid: 0, access: 'none' }, ...others] })
    } else {
      removeNode(nodes, path)
    }
  }
}

export const specialPaths = ['@introduceDomain', '@releaseDomain'] as const

/** A path and all paths below, each after the one above it and the last child first. */
function withAllBelow(nodes: Nodes, path: string): string[] {
  const found: string[] = []
  const waiting = [path]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next)
    for (const name of namesOf(nodes.get(next)?.children ?? '')) waiting.push(childPath(next, name))
  }
  return found
}

const nothing = Buffer.alloc(0)

function checkSizes(nodes: Nodes, domains: Domains, domain: Domain, contents: NodeContent[]): void {
  const largest = domains.limit(domain, 'node-size')
  if (!contents.some(content => sizeOf(content) > largest)) return
  nodes.fail()
  throw new Refusal('ENOSPC')
}

/** As xenstored counts it: a header of 16 bytes, 8 for each permission, the value, the children's names. */
const sizeOf = ({ value, permissions, children }: NodeContent): number =>
  16 + 8 * permissions.length + value.length + children.length
