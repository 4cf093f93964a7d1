import type { ReplicationError } from '../replication-error.js'
import type { Message } from '../wire/message.js'

/** A group's way to the hub, while there is a connection. None of these calls back before it returns. */
export interface HubLink {
  /** By which both sides name the group on the connection. */
  readonly channel: number
  /** How many bytes were given to `send` and have not left. */
  readonly unsent: number
  /** When something came from the hub, by the clock's `uptime`. */
  readonly heard: number
  /** A message's data stays as it is; what else is needed of it is taken before this returns. */
  send(message: Message): void
  /** The hub does not keep to the protocol: ends the connection, with the reason. */
  reject(error: ReplicationError): void
}
