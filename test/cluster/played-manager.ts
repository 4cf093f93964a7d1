import type { ClusterManager, Membership } from '#xenlight/cluster/cluster-manager.js'

/** A cluster manager whose state the test sets. */
export class PlayedManager implements ClusterManager {
  quorum = true
  fencing = true
  memberships: Record<string, Membership> = {}
  readonly properties = new Map<string, string>()
  only: string | undefined
  score: number | undefined
  /** What was changed, in order. */
  readonly changes: string[] = []

  hasQuorum = async (): Promise<boolean> => this.quorum
  isFencing = async (): Promise<boolean> => this.fencing
  membership = async (node: string): Promise<Membership> => this.memberships[node] ?? 'member'
  property = async (name: string): Promise<string | undefined> => this.properties.get(name)
  onlyPromotable = async (): Promise<string | undefined> => this.only

  async setProperty(name: string, value: string | undefined): Promise<void> {
    this.changes.push(`${name}=${value ?? ''}`)
    if (value === undefined) this.properties.delete(name)
    else this.properties.set(name, value)
  }

  async setScore(score: number | undefined): Promise<void> {
    this.score = score
  }

  async setOnlyPromotable(_resource: string, node: string | undefined): Promise<void> {
    this.changes.push(`only ${node ?? 'any'}`)
    this.only = node
  }
}
