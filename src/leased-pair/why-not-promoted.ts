import { remusView } from '../cluster/remus-view.js'
import type { ServedStatus } from '../protocol-d/control/served-status.js'
import { splitBrain } from '../protocol-d/handshake.js'
import { isSameNode, type PairNode } from './pair-node.js'
import type { PairRecord } from './pair-record.js'

/** What is known of the pair's record. */
export type KnownRecord = PairRecord | 'none' | 'unknown' | 'unreadable'

/**
 * Why a Secondary is not to be promoted with what it has; undefined where it may be. Whoever reads the record while it has the lease knows that
 * nobody else was promised anything since.
 */
export function whyNotPromoted(status: ServedStatus, record: KnownRecord, self: PairNode): string | undefined {
  const { failure, connection, promotion } = status
  if (failure !== undefined) return 'a file of the node failed'
  if (connection === 'hello') return 'it is being decided who has which data'
  const isAlone = isAloneIn(record, self)
  // it went on alone, so that what the other one has does not count
  const { score } = remusView({ ...status, isRefused: status.isRefused && !isAlone })
  if (score === undefined) return ofData(status)
  if (record === 'unknown') return 'the catalogue was not read'
  if (record === 'unreadable') return "what the catalogue has is no pair's record"
  // both hold the same: no record is needed to know that nothing is missing here
  if (record === 'none') return connection === 'equal' ? undefined : noRecord
  const { alone } = record
  if (alone !== null && !isAlone) return `${alone.name} went on alone, and has what is missing here`
  if (!isAlone && connection !== 'equal' && record.promotion < promotion)
    return `a promotion of ${promotion} was made that the catalogue does not know`
  return undefined
}

/**
 * Whether what a Secondary wrote does not count, and may be given up without asking anybody: the other node went on alone by the catalogue, which it
 * may only where this one was promised nothing that it lacks.
 */
export function isGivenUp(status: ServedStatus, record: KnownRecord, self: PairNode): boolean {
  if (typeof record === 'string' || record.alone === null || record.isForced) return false
  if (isSameNode(record.alone, self)) return false
  return status.role === 'secondary' && status.isRefused && !status.discards && status.why === splitBrain
}

const isAloneIn = (record: KnownRecord, self: PairNode): boolean =>
  typeof record !== 'string' && record.alone !== null && isSameNode(record.alone, self)

const noRecord =
  'no node of the pair was promoted under this lease yet: say which one is, with promote --force-lease REASON'

function ofData({ disk, generation, connection, isRefused, fencedBy }: ServedStatus): string {
  if (generation === '') return 'its disk is new: say whose data counts, with promote --force-lease REASON'
  if (fencedBy !== undefined) return 'a later promotion was made elsewhere'
  if (connection === 'target' || connection === 'target-starting') return 'its data is being brought up to date'
  if (isRefused) return 'the nodes do not fit together'
  return disk === 'outdated' ? "its data is older than the peer's" : 'its data is half a copy'
}
