import { setTimeout as pause } from 'node:timers/promises'
import type { ClusterManager } from './cluster-manager.js'

/** How often it looks whether a node that has gone was fenced, in milliseconds. */
const lookInterval = 300

export interface ArbiterQuestion {
  resource: string
  /** Who asks. */
  node: string
  /** The others. */
  peers: readonly string[]
}

/**
 * A Primary would go on without its peer: from now on it alone may be promoted, in all of the cluster. What only this partition knows is worth
 * nothing while the peer may be in another one, so a peer that has gone is waited for until it was fenced.
 *
 * @throws Error where it may not, or it is not known
 */
export async function goOnAlone(
  cluster: ClusterManager,
  { resource, node, peers }: ArbiterQuestion,
  signal: AbortSignal,
): Promise<void> {
  if (await cluster.isFencing()) for (const peer of peers) await wholePartition(cluster, peer, signal)
  if (!(await cluster.hasQuorum())) throw new Error('this partition has no quorum')
  const only = await cluster.onlyPromotable(resource)
  if (only === node) return
  if (only !== undefined)
    throw new Error(`${only} went on alone, and has what is missing here: bring it back, or force this node`)
  await cluster.setOnlyPromotable(resource, node)
}

/** Waits until what is said here is said to the peer, too, or the peer is known to be down. */
async function wholePartition(cluster: ClusterManager, peer: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const membership = await cluster.membership(peer)
    if (membership === 'member' || membership === 'down') return
    if (membership === 'unknown') throw new Error(`the cluster has no node ${peer}`)
    if (signal.aborted) throw new Error(`${peer} has gone, and was not fenced`)
    await pause(lookInterval, undefined, { signal }).catch(() => {})
  }
}

/** Both nodes hold the same: any of them may be promoted. */
export async function endAlone(cluster: ClusterManager, { resource, node }: ArbiterQuestion): Promise<void> {
  const only = await cluster.onlyPromotable(resource)
  if (only === node) await cluster.setOnlyPromotable(resource, undefined)
}
