import type { Limits } from '../../link/limits.js'

/** Who decides which node of a pair is Primary, as a node asks it: a cluster manager, a lease. */
export interface Arbiter {
  /**
   * A Primary has no peer, and would go on alone. Settles once the peer will not be promoted with what it has: it is known to be behind, or
   * fenced.
   *
   * @param promotion the number of the Primary's promotion
   * @throws Error where that is not so, or not known; it is asked again
   */
  mayGoOnAlone(promotion: number, limits: Limits): Promise<void>
  /** Both nodes hold the same again: the peer may be promoted. @throws Error where that could not be recorded; it is tried again */
  isEqual(promotion: number, limits: Limits): Promise<void>
}
