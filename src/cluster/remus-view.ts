import type { ServedStatus } from '../protocol-d/control/served-status.js'
import type { ClusterView } from './cluster-view.js'

/** How much a node's data is to be preferred, where one is promoted; none where its data is not to be promoted. */
const scores = {
  /** The Primary stays where it is. */
  primary: 10_000,
  /** It holds what the peer holds, or what the peer lacks. */
  inSync: 1000,
  /** Whole, and older than the peer's for all that it knows. */
  alone: 100,
  /** Either node may be promoted, and is copied to the other. */
  undecided: 10,
} as const

/** What a cluster manager asks about a node of a replicated disk. */
export const remusView = (status: ServedStatus): ClusterView => ({
  monitor: monitorOf(status),
  score: scoreOf(status),
  promotion: status.promotion,
})

function monitorOf({ failure, fencedBy, role, connection }: ServedStatus): ClusterView['monitor'] {
  const isPrimary = role === 'primary'
  if (failure !== undefined || fencedBy !== undefined) return isPrimary ? 'failed-promoted' : 'failed'
  if (!isPrimary) return 'running'
  return connection === 'equal' ? 'promoted' : 'degraded-promoted'
}

function scoreOf({
  failure,
  fencedBy,
  role,
  disk,
  connection,
  isRefused,
  generation,
}: ServedStatus): number | undefined {
  if (failure !== undefined || fencedBy !== undefined || disk !== 'consistent' || generation === '') return undefined
  if (role === 'primary') return scores.primary
  if (isRefused || connection === 'target' || connection === 'target-starting') return undefined
  if (connection === 'none' || connection === 'hello') return scores.alone
  return connection === 'undecided' ? scores.undecided : scores.inSync
}
