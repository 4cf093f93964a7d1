import type { Limits } from '../../link/limits.js'
import type { LeaseStatus } from '../control/lease-status.js'

/** Who lets a node be Primary, in the place of those who control it: a lease. It promotes the node, and demotes it, by itself. */
export interface Guard {
  /** Whether the guest may be told anything now: asked before each answer. Where it says no, it does so until the node is promoted anew. */
  isHeld(): boolean
  status(): LeaseStatus
  /** Calls back when what `status` says may have changed. */
  onChange(changed: () => void): void
  /** An operator has the node promoted with what it has. @throws ProtocolDError no-lease, and as a promotion */
  force(reason: string, limits: Limits): Promise<void>
  /** An operator has the node demoted: another one may be promoted. @throws ProtocolDError no-lease where the time is up */
  handOver(limits: Limits): Promise<void>
  /** The node is being closed: nothing is promoted any more. What is Primary stays so until it was closed. */
  ending(): void
}
