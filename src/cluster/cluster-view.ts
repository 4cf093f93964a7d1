/** What a cluster manager asks about something that is served. */
export interface ClusterView {
  /** Promoted is what OCF calls the active side; degraded, where it runs without a replica. */
  monitor: 'running' | 'degraded' | 'promoted' | 'degraded-promoted' | 'failed' | 'failed-promoted'
  /** How much it is to be preferred where one is promoted; undefined where it is not to be. */
  score: number | undefined
  /** The number of the last promotion that it has heard of. */
  promotion: number
}
