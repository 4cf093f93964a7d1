import type { OutputStream } from '../command-line/write-stream.js'
import type { DiskTarget } from '../libxl/choose-backend.js'
import type { DiskHost } from '../libxl/store/disk-host.js'
import type { Xenstore } from '../xenstore/xenstore.js'

/**
 * All that the command touches outside its own memory. What fails throws a `SystemError`. Every call blocks but that for the
 * running Xen, which most commands have no use for.
 */
export interface Io {
  /** The words after the command's name. Bytes that are not UTF-8 stand as lone surrogates. */
  readonly args: readonly string[]
  readonly env: { readonly NO_COLOR?: string | undefined; readonly TERM?: string | undefined }
  isTerminal(stream: OutputStream): boolean
  /** Reads some bytes of standard input into a buffer; 0 at its end. */
  readInput(buffer: Uint8Array): number
  /** The bytes of a file, piece by piece. */
  readFile(path: string): Iterable<Uint8Array>
  /** What a disk's target is; where it can't be examined, 'missing' and the reason in the C library's words. */
  examine(path: string): { target: DiskTarget; reason?: string }
  /** The name of this machine. */
  hostname(): string
  write(stream: OutputStream, data: string | Uint8Array): void
  openXen(): Promise<RunningXen>
}

/** The Xen that runs here. */
export interface RunningXen extends AsyncDisposable {
  readonly store: Xenstore
  readonly host: DiskHost
  /** Aborted when the user interrupts the command. */
  readonly interrupted: AbortSignal
}
