import { ReplicationError } from '../replication-error.js'

/** What is in a file of a journal is not what was written there. */
export const damaged = (what: string): ReplicationError =>
  new ReplicationError(
    'damaged',
    `${what}. The journal's disk lost or changed what was written to it: nothing is skipped. Begin a new replica of this group, or restore the journal's folder`,
  )
