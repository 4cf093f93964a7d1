import { Buffer } from 'node:buffer'
import { removeDomainNodes, specialPaths } from './change-nodes.js'
import { type Domain, Domains } from './domains.js'
import type { Peer } from './peer.js'
import type { Quotas } from './quotas.js'
import { type NodeContent, type NodePermission, type Nodes, type StoreNode, Tree, type WatchMatch } from './tree.js'
import { Watches } from './watches.js'

/** Everything that the connections have in common. */
export class Store implements Nodes {
  readonly tree = new Tree()
  readonly watches = new Watches()
  readonly domains: Domains
  readonly sessions = new Set<Peer>()

  constructor(quotas: Quotas, exists: (domid: number) => boolean) {
    this.domains = new Domains(quotas, exists)
    const node = (children: string): NodeContent => ({
      value: Buffer.alloc(0),
      permissions: [{ domid: 0, access: 'none' }],
      children,
    })
    this.tree.set('/', node('tool\0'))
    this.tree.set('/tool', node('xenstored\0'))
    this.tree.set('/tool/xenstored', node(''))
    for (const path of specialPaths) this.tree.set(path, node(''))
  }

  get(path: string): StoreNode | undefined {
    return this.tree.get(path)
  }

  set(path: string, content: NodeContent): void {
    this.tree.set(path, content)
  }

  delete(path: string): void {
    this.tree.delete(path)
  }

  fail(): void {}

  changed(
    path: string,
    match: WatchMatch,
    node: StoreNode | undefined,
    before?: readonly NodePermission[] | undefined,
  ): void {
    this.watches.fire(this.tree, path, match, node, before)
  }

  sessionsOf(domid: number): Peer[] {
    return [...this.sessions].filter(session => session.domain.domid === domid)
  }

  transactionsOf(domid: number): number {
    return this.sessionsOf(domid).reduce((count, { transactions }) => count + transactions.size, 0)
  }

  /** The domain, from now on introduced; one that already was loses its watches and transactions. */
  introduce(domid: number): Domain {
    const domain = this.domains.known(domid)
    if (domain.introduced) {
      // Domain 0 speaks through sockets, which a new ring does not concern.
      if (domid !== 0) for (const session of this.sessionsOf(domid)) session.reset()
    } else {
      domain.introduced = true
      this.#changedDomain('@introduceDomain', domid)
    }
    return domain
  }

  /** Ends a domain's connections, and forgets it and its nodes. */
  release(domid: number): undefined {
    for (const session of this.sessionsOf(domid)) session.end()
    removeDomainNodes(this, domid)
    this.domains.forget(domid)
    this.#changedDomain('@releaseDomain', domid)
  }

  #changedDomain(path: (typeof specialPaths)[number], domid: number): void {
    const node = this.get(path)!
    this.changed(path, 'no-depth', node)
    this.changed(`${path}/${domid}`, 'depth', node)
  }
}
