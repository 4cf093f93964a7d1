import type { ServedStatus } from '../protocol-d/control/served-status.js'
import type { PairNode } from './pair-node.js'
import { isGivenUp, type KnownRecord, whyNotPromoted } from './why-not-promoted.js'

/** What a node of a pair knows when it decides what to do. */
export interface PairView {
  status: ServedStatus
  self: PairNode
  /** What the catalogue has. */
  record: KnownRecord
  /** It was read while this node had the lease. */
  isFresh: boolean
  lease: 'none' | 'held' | 'lost'
  /** Of the lease that is held. */
  epoch: number | undefined
  /** What the record says in this epoch by this node; `nothing` where that is not known. */
  recorded: 'nothing' | 'equal' | 'alone'
  /** What an operator has asked for. */
  order: 'none' | 'force' | 'hand-over'
  /** Why it leaves the lease to the other node for a while; '' where it does not. */
  pause: string
}

export type Step =
  /** Nothing is to be done until something changes. */
  | { kind: 'wait'; why: string }
  /** To try to get the lease. */
  | { kind: 'acquire' }
  /** To read the record, under the lease. */
  | { kind: 'read' }
  /** To write the record: who is Primary, and whether it alone may be. */
  | { kind: 'record'; isAlone: boolean }
  | { kind: 'promote'; isForced: boolean }
  /** To be Primary until something changes. */
  | { kind: 'serve' }
  | { kind: 'demote'; why: string }
  /** To give the lease up. */
  | { kind: 'release'; why: string }
  /** What this node wrote without its peer does not count. */
  | { kind: 'discard' }

/**
 * What a node of a pair does next: candidate, holder of the lease, promoted, alone, lost. It goes by what is so and never by what has happened, so that
 * nothing depends on an answer that was lost.
 */
export function nextStep(view: PairView): Step {
  if (view.status.role === 'primary') return ofPrimary(view)
  const why = whyNot(view)
  if (view.lease === 'none') {
    if (why === undefined) return { kind: 'acquire' }
    return isGivenUp(view.status, view.record, view.self) ? { kind: 'discard' } : { kind: 'wait', why }
  }
  if (view.lease === 'lost') return { kind: 'release', why: 'it was not renewed in time' }
  if (view.order === 'hand-over') return { kind: 'release', why: 'it was handed over' }
  if (!view.isFresh) return { kind: 'read' }
  if (view.status.connection === 'hello') return { kind: 'wait', why: 'it is being decided who has which data' }
  if (why !== undefined) return { kind: 'release', why }
  // what is promised before both hold the same, only this node may have
  const isAlone = view.status.connection !== 'equal'
  if (view.recorded !== (isAlone ? 'alone' : 'equal')) return { kind: 'record', isAlone }
  return { kind: 'promote', isForced: view.order === 'force' }
}

function ofPrimary({ status, lease, epoch, order }: PairView): Step {
  const { failure, fencedBy, promotion } = status
  // it has no file that could say that it is Secondary: its clients are cut off, and it has no lease
  if (failure !== undefined && lease === 'none') return { kind: 'wait', why: 'a file of the node failed' }
  if (failure !== undefined) return { kind: 'demote', why: 'a file of the node failed' }
  if (fencedBy !== undefined) return { kind: 'demote', why: `a later promotion was made: ${fencedBy}` }
  if (lease !== 'held') return { kind: 'demote', why: 'the lease was not renewed in time' }
  if (promotion !== epoch) return { kind: 'demote', why: 'it was promoted by another number than that of the lease' }
  return order === 'hand-over' ? { kind: 'demote', why: 'it is handed over' } : { kind: 'serve' }
}

function whyNot({ status, record, self, order, pause }: PairView): string | undefined {
  if (order === 'force') return whyNotForced(status)
  return pause === '' ? whyNotPromoted(status, record, self) : pause
}

/** What no operator can have done. */
function whyNotForced({ failure, connection }: ServedStatus): string | undefined {
  if (failure !== undefined) return 'a file of the node failed'
  const isTarget = connection === 'target' || connection === 'target-starting'
  return isTarget ? 'its data is being brought up to date' : undefined
}
