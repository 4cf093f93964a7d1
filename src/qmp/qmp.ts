import type { Limits } from '../link/limits.js'
import type { QmpArguments, QmpCommand } from './command.js'
import type { QemuVersion, QmpEvent } from './message.js'
import type { QmpError } from './qmp-error.js'

/** How long a command may take. */
export interface QmpRequestOptions extends Limits {}

/** Which events, and how many are kept for a slow reader. */
export interface QmpEventsOptions {
  /** Only these; all of them by default. */
  names?: readonly string[] | undefined
  /** How many may wait to be read; more than that end the events with EOVERFLOW. 1,024 by default. */
  capacity?: number | undefined
}

/** Events from when they were asked for on. They end with the connection, and with its error. */
export interface QmpEvents extends AsyncIterableIterator<QmpEvent, undefined, undefined>, Disposable, AsyncDisposable {}

/** What follows a command: its arguments, unless it takes none, and options. */
export type Rest<Arguments> = Arguments extends undefined
  ? [args?: undefined, options?: QmpRequestOptions | undefined]
  : [args: Arguments, options?: QmpRequestOptions | undefined]

/** A QEMU, spoken to over its monitor protocol (QMP). Commands may be sent while others wait; QEMU answers them in order. */
export interface Qmp extends AsyncDisposable {
  readonly version: QemuVersion
  /**
   * Whether QEMU takes commands out of band. Without that, one command that blocks (a dead NBD server below a drain) blocks
   * the monitor for good, and nothing can `yank` it.
   */
  readonly outOfBand: boolean
  /**
   * Sends one of the commands that are known here; resolves to its reply.
   *
   * @throws QmpError refused with QEMU's class and words; EPROTO where the reply is not what the schema promises (the command
   * was done), ETIMEDOUT, ECANCELED (it may yet be done), ECONNRESET, EBADF
   */
  run<Arguments extends QmpArguments | undefined, Reply>(
    command: QmpCommand<Arguments, Reply>,
    ...rest: Rest<Arguments>
  ): Promise<Reply>
  /** The same past all that wait or block: for the few commands that QEMU takes so. @throws QmpError no-out-of-band too */
  runOutOfBand<Arguments extends QmpArguments | undefined, Reply>(
    command: QmpCommand<Arguments, Reply>,
    ...rest: Rest<Arguments>
  ): Promise<Reply>
  /** Sends any command; resolves to what it returned, unread. */
  execute(command: string, args?: QmpArguments, options?: QmpRequestOptions): Promise<unknown>
  /** The same out of band. */
  executeOutOfBand(command: string, args?: QmpArguments, options?: QmpRequestOptions): Promise<unknown>
  /** What QEMU reports from now on. */
  events(options?: QmpEventsOptions): QmpEvents
  /** Resolves when the connection is over: with the error, or undefined after `close`. */
  readonly closed: Promise<QmpError | undefined>
  /** Ends the connection; commands that wait fail with EBADF. QEMU runs on. */
  close(): Promise<void>
}
