import type { Membership } from './cluster-manager.js'

/** What `crm_mon --output-as=xml` says of a node. */
export function readMembership(xml: string, node: string): Membership {
  const found = [...xml.matchAll(/<node\s([^>]*)\/?>/g)].find(
    ([, attributes = '']) => attributeOf(attributes, 'name') === node,
  )
  const attributes = found?.[1]
  if (attributes === undefined) return 'unknown'
  // of a node that has gone the manager may know nothing but that it has to be fenced
  if (attributeOf(attributes, 'unclean') !== 'false') return 'unclean'
  return attributeOf(attributes, 'online') === 'true' ? 'member' : 'down'
}

const attributeOf = (attributes: string, name: string): string | undefined =>
  new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1]
