/** What another node of the cluster is, as this one sees it. */
export type Membership =
  /** In this partition. */
  | 'member'
  /** Not running: shut down, or fenced. */
  | 'down'
  /** Gone without a word, and not fenced yet. */
  | 'unclean'
  | 'unknown'

/** A cluster manager, as an agent asks it. Every call may fail with an Error that says why. */
export interface ClusterManager {
  /** Whether this node's partition has quorum. */
  hasQuorum(): Promise<boolean>
  /** Whether nodes are fenced. */
  isFencing(): Promise<boolean>
  membership(node: string): Promise<Membership>
  /** A property that all nodes see; undefined where it is not set. */
  property(name: string): Promise<string | undefined>
  setProperty(name: string, value: string | undefined): Promise<void>
  /** How much this node is preferred for promotion; undefined for not at all. */
  setScore(score: number | undefined): Promise<void>
  /** Which node alone may be promoted; undefined where all may. */
  onlyPromotable(resource: string): Promise<string | undefined>
  setOnlyPromotable(resource: string, node: string | undefined): Promise<void>
}
