import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'

/** @throws ReplicationError wrong-state where a disk and its replica are not of one size, in bytes */
export function checkSize(volume: string, size: number, replica: number): void {
  if (size === replica) return
  const why = `${printable(volume)} has ${size} bytes, and its replica has ${replica}`
  throw new ReplicationError('wrong-state', `${why}: protect the group anew`)
}
