import { ReplicationError } from '../replication-error.js'
import type { Journal, Point } from './journal-seam.js'

/** A moment of a group: the newest one, one by its time (in microseconds since 1970), by a checkpoint's name, or by its position. */
export type At = { newest: true } | { time: number } | { name: string } | { position: number }

/** @throws ReplicationError no-such-point, not-found where there is no checkpoint of that name */
export function resolvePoint(journal: Journal, group: string, at: At): Point {
  if ('newest' in at) {
    const { settled } = journal.last
    if (settled !== undefined) return settled
    throw new ReplicationError(
      'no-such-point',
      `the group ${group} has never been consistent: its first copy has to be complete before it can be started`,
    )
  }
  if ('name' in at) return journal.findPoint(at.name)
  return journal.pointAt('time' in at ? journal.positionAt(at.time) : at.position)
}
