/** Where a connection's bytes come out. */
export interface DuplexReader {
  /** Some bytes have come, cut anywhere. They are the caller's to reuse once this returns. */
  data(bytes: Uint8Array): void
  /** No more will come. Called once, also after `close`; `cause` where it is not an orderly end. */
  end(cause?: Error): void
  /**
   * All that was written is sent. Whoever has this looks at `unsent` itself; a socket stops reading for the others while they
   * are not read from.
   */
  drained?(): void
}

/**
 * Both ways to the other end: a socket, a device, or a piece of memory. The one thing that a protocol's code knows of the
 * world outside, so that a test or another runtime can be the other end.
 */
export interface Duplex {
  /** Called once, first. Nothing is read before. */
  start(reader: DuplexReader): void
  /** Takes one whole message. Never throws; what goes wrong comes out of `end`. */
  write(message: Uint8Array): void
  /** Closes both ways; the reader's `end` follows. May be called at any time, also twice. */
  close(): void
  /** Closes at once, whatever was not sent. */
  abort?(): void
  /** No more comes until `resume`. What has no `pause` goes on. */
  pause?(): void
  resume?(): void
  /** How many bytes were written and are not sent. */
  readonly unsent?: number
  /** Whether the other end's certificate, which was verified, is of that name. Not there where the other end has shown none. */
  readonly isCertified?: ((name: string) => boolean) | undefined
  /** What comes out is the reader's to keep. */
  readonly givesAway?: boolean
}
