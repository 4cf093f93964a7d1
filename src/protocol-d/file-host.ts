import type { FileDone } from '../keep/keep-host.js'

/** The files of a node: the disk itself, what it must not forget, the epochs that it received. */
export type NodeFile = 'data' | 'meta' | 'log'

/**
 * What is done to a file. Requests to one file begin in their order: a write sees those before it, and a sync makes durable what was
 * asked before it, and ends before the next one. Those to different files have no order.
 */
export type FileRequest =
  | { kind: 'read'; file: NodeFile; offset: number; length: number }
  | { kind: 'write'; file: NodeFile; offset: number; data: Uint8Array }
  | { kind: 'zero'; file: 'data'; offset: number; length: number }
  | { kind: 'sync'; file: NodeFile }

/** The files of a node, as it uses them. `file` may call back before it returns. */
export interface FileHost {
  file(request: FileRequest, done: FileDone): void
}
