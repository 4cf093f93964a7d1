import type { Duplex } from '../../link/duplex.js'
import { ReplicationError } from '../replication-error.js'

/** @throws ReplicationError not-allowed where the other end has shown a certificate, and it is of another name */
export function checkCertified(duplex: Duplex, who: 'agent' | 'hub', name: string): void {
  if (duplex.isCertified === undefined || duplex.isCertified(name)) return
  throw new ReplicationError('not-allowed', `the ${who} calls itself ${name}, and its certificate is not of that name`)
}
