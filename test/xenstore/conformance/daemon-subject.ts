import { connectSocket } from '#xenlight/link/node/socket.js'
import { connect } from '#xenlight/xenstore/node/connect.js'
import type { Xenstored } from '../../real/xenstored.js'
import type { Subject } from './subject.js'

/** A guest has no more requests under way than its quota of outstanding ones allows. */
export function daemonSubject(daemon: Xenstored): Subject {
  const pathOf = (domid: number) => (domid === 0 ? daemon.path : daemon.domainPath(domid))
  return {
    kind: daemon.kind,
    connect: (domid = 0) => connect({ path: pathOf(domid), ...(domid === 0 ? {} : { maxInFlight: 20 }) }),
    duplex: (domid = 0) => connectSocket({ path: pathOf(domid) }),
  }
}
