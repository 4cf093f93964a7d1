/** A part of a disk, of one kind. */
export interface BlockExtent {
  /** In bytes. */
  length: number
  /** Nothing is allocated for it. */
  hole: boolean
  /** It reads as zeroes. */
  zero: boolean
}

export interface ZeroOptions {
  /** Holes are allowed. True by default. */
  mayTrim?: boolean | undefined
  /** Rejects with ENOTSUP where it would be as slow as a write. False by default. */
  fast?: boolean | undefined
  /** Aborted when nobody waits for it any more: what is not zeroed yet may stay as it is. */
  signal?: AbortSignal | undefined
}

/**
 * A disk, as an NBD server serves it. Methods may answer at once or later; offsets and lengths are bytes, in range, never
 * checked again. They reject (or throw) with a system error whose `code` (ENOSPC, EIO, …) the client gets.
 */
export interface BlockBackend {
  /** In bytes. */
  readonly size: number
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>
  /** Optional: the same at once, into bytes that are there, which saves a copy. */
  readInto?(offset: number, target: Uint8Array): void
  /** The data is the backend's only until it settles (the server reuses the buffer). */
  write(offset: number, data: Uint8Array): void | Promise<void>
  writeZeroes(offset: number, length: number, options?: ZeroOptions): void | Promise<void>
  /** The contents are not needed any more. May do nothing. */
  trim(offset: number, length: number): void | Promise<void>
  /** What was written before is durable when it settles. */
  flush(): void | Promise<void>
  /** Optional: which parts hold data or read as zeroes (base:allocation); in order, from `offset` on, at most `length`. */
  blockStatus?(offset: number, length: number): BlockExtent[] | Promise<BlockExtent[]>
  close?(): void | Promise<void>
}
