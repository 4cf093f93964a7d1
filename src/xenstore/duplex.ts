import type { Duplex as LinkDuplex } from '../link/duplex.js'
import type { Operation } from './operation.js'

export type { DuplexReader } from '../link/duplex.js'

/** Both ways to a daemon; what is written is one whole packet, header and payload. */
export interface Duplex extends LinkDuplex {
  /** How many requests may be unanswered at a time, where this way bears fewer than its daemon. */
  readonly mostInFlight?: number
  /** Why this way cannot carry a request that the protocol has; undefined where it can. */
  refusal?(operation: Operation, packet: Uint8Array): { code: string; why: string } | undefined
}
