import type { ClusterView } from './cluster-view.js'
import type { ColoStatus } from './colo-status.js'

/** How much a node's data is to be preferred, where one is promoted; none where its data is not to be promoted. */
const scores = {
  /** The primary stays where it is. */
  primary: 10_000,
  /** It holds the last checkpoint. */
  checkpoint: 1000,
  /** It was the primary's, and nobody was promoted later for all that it knows. */
  whole: 100,
} as const

/** What a cluster manager asks about a node of a guest under COLO. */
export const coloView = (status: ColoStatus): ClusterView => ({
  monitor: monitorOf(status),
  score: scoreOf(status),
  promotion: status.promotion,
})

function monitorOf({ role, failure, fencedBy, pair }: ColoStatus): ClusterView['monitor'] {
  const isPrimary = role === 'primary'
  if (failure !== undefined || fencedBy !== undefined) return isPrimary ? 'failed-promoted' : 'failed'
  if (!isPrimary) return 'running'
  return pair === 'protected' ? 'promoted' : 'degraded-promoted'
}

function scoreOf({ role, failure, fencedBy, isSplit, data }: ColoStatus): number | undefined {
  if (failure !== undefined || fencedBy !== undefined || isSplit) return undefined
  if (role === 'primary') return scores.primary
  return data === 'checkpoint' || data === 'whole' ? scores[data] : undefined
}
