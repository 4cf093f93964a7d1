import type { Hub } from '../replication/hub/hub.js'
import type { HubServer } from '../replication/node/hub-server.js'
import type { LeasedHub } from '../replication/node/leased-hub.js'
import { ReplicationError } from '../replication/replication-error.js'
import { standingText } from './status-lines.js'

/** The hub that is asked. @throws ReplicationError owned while it stands by */
export function servingHub(server: HubServer | LeasedHub): Hub {
  if (server.hub !== undefined) return server.hub
  throw new ReplicationError('owned', `${standingText(server.status)}: ask the hub that serves`)
}
