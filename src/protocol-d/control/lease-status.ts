/** What a node says of the lease under which it is served. */
export interface LeaseStatus {
  /** The lease. */
  name: string
  /** How this node calls itself there. */
  node: string
  /** `waits` for it, `takes` over by it, has it `held` while it is Primary, has `lost` it and is not Secondary yet. */
  state: 'waits' | 'takes' | 'held' | 'lost'
  /** Who has it, as far as this node was told; undefined where nobody has, or it was not told. */
  holder: string | undefined
  /** Of the lease that this node has; undefined where it has none. */
  epoch: number | undefined
  /** Why the node does not serve by it; or what is wrong while it does. '' where there is nothing to say. */
  why: string
}
