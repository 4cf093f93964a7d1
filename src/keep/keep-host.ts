/** What is done to the metadata's file, and to the disk whose metadata it is: a write sees those before it, a sync makes durable what was asked before it. */
export type KeepRequest =
  | { kind: 'read'; file: 'meta'; offset: number; length: number }
  | { kind: 'write'; file: 'meta'; offset: number; data: Uint8Array }
  | { kind: 'sync'; file: 'meta' | 'data' }

/** Called when a request is through: with its error, or with what was read. */
export type FileDone = (error: Error | undefined, data?: Uint8Array) => void

/** The files of a disk, as its metadata uses them. `file` may call back before it returns. */
export interface KeepHost {
  file(request: KeepRequest, done: FileDone): void
}
