import type { FileHost } from './file-host.js'
import type { Message } from './stream/message.js'

/** The two ways to the peer: what waits behind data, and what does not. */
export type Channel = 'data' | 'meta'

/**
 * The world of a node: its files, its peer. A test can be all of it. None of these calls the node back before it returns, but `file`,
 * which may.
 */
export interface NodeHost extends FileHost {
  /** Sends to the peer. A message's bytes are copied before it returns. */
  send(channel: Channel, message: Message): void
  /** Ends the connection; the node takes it for ended already. */
  disconnect(): void
  /** Whether more of the data channel is wanted. What came already is handed in all the same. */
  pause(isPaused: boolean): void
  /** Something that `status` shows has changed. */
  changed(): void
  /** A random name for a generation of the data. */
  newGeneration(): string
}
