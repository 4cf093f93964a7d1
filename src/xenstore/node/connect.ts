import { type ClientOptions, openXenstore } from '../client.js'
import type { Xenstore } from '../xenstore.js'
import { XenstoreError } from '../xenstore-error.js'
import { socketPath } from './socket-path.js'
import { connectUnixSocket } from './unix-socket.js'

export interface ConnectOptions extends ClientOptions {
  /** The daemon's socket. By default $XENSTORED_PATH, $XENSTORED_RUNDIR/socket or /run/xenstored/socket. */
  path?: string | undefined
  /** Gives the connecting up; what is connected stays so. */
  signal?: AbortSignal | undefined
}

/**
 * Connects to this host's xenstored.
 *
 * @throws XenstoreError with the system's code (ENOENT, EACCES, ECONNREFUSED …) where there is none, ECANCELED
 */
export async function connect(options: ConnectOptions = {}): Promise<Xenstore> {
  const { path = socketPath(process.env), signal } = options
  const fail = (code: string, why: string, cause: unknown) =>
    new XenstoreError(code, `CONNECT ${path}: ${code} (${why})`, { operation: 'CONNECT', path, cause })
  if (signal?.aborted) throw fail('ECANCELED', 'its signal was aborted', signal.reason)
  try {
    return openXenstore(await connectUnixSocket(path, signal), options)
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw fail('ECANCELED', 'its signal was aborted', error)
    if (error instanceof XenstoreError) throw error
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    throw fail(code, reasons.get(code) ?? message, error)
  }
}

const reasons = new Map([
  ['ENOENT', 'no such socket: is xenstored running?'],
  ['ECONNREFUSED', 'nobody listens there: is xenstored running?'],
  ['EACCES', 'only root may talk to xenstored'],
])
