import type { Message } from './message.js'

/** What a connection is opened with, and what keeps it open, besides the messages of the nodes. */
export type WireMessage =
  | Message
  /** The first on each of a session's two connections. */
  | { kind: 'open'; session: string; channel: 'data' | 'meta'; pair: string; version: number }
  | { kind: 'ping' }
  /**
   * `received` is how many bytes have come on the data channel. `isFull`: the sender takes nothing more for the time being, and that is no
   * fault of the connection.
   */
  | { kind: 'pong'; received: number; isFull: boolean }
