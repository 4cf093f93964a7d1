import { Buffer } from 'node:buffer'
import { statSync } from 'node:fs'
import { checkOptionalText, checkOptions, checkSignal } from '../../check-argument.js'
import { connectSocket } from '../../link/node/socket.js'
import { socketPathMax } from '../../link/node/socket-address.js'
import { type ClientOptions, openXenstore } from '../client.js'
import type { Duplex } from '../duplex.js'
import type { Xenstore } from '../xenstore.js'
import { XenstoreError } from '../xenstore-error.js'
import { socketPath } from './socket-path.js'
import { openXenbusDevice } from './xenbus-device.js'

export interface ConnectOptions extends ClientOptions {
  /**
   * The daemon's socket, or a guest's device. By default $XENSTORED_PATH, $XENSTORED_RUNDIR/socket or
   * /run/xenstored/socket, and where nothing is there /dev/xen/xenbus.
   */
  path?: string | undefined
  /** How many requests may be unanswered at a time. 256 by default; over /dev/xen/xenbus always 1. */
  maxInFlight?: number | undefined
  /** Gives the connecting up; once connected it means nothing. */
  signal?: AbortSignal | undefined
}

const xenbus = '/dev/xen/xenbus'

/**
 * Connects to xenstored: through this host's socket, or in a guest through /dev/xen/xenbus. A guest's kernel is a client of
 * the same connection to the daemon: `resetWatches`, which would take the kernel's own watches away, is refused there
 * (EPERM), packets are at most 4,096 bytes with their header (E2BIG), and requests are sent one after another.
 *
 * @throws XenstoreError with the system's code (ENOENT, EACCES, ECONNREFUSED …) where there is none, ECANCELED
 */
export async function connect(options: ConnectOptions = {}): Promise<Xenstore> {
  checkOptions(options)
  checkOptionalText('path', options.path)
  checkSignal(options.signal)
  const { signal } = options
  const path = options.path ?? defaultPath()
  const fail = (code: string, why: string, cause?: unknown) =>
    new XenstoreError(code, `CONNECT ${path}: ${code} (${why})`, { operation: 'CONNECT', path, cause })
  if (path === '/proc/xen/xenbus') throw fail('EINVAL', `a read there keeps writes waiting: use ${xenbus}`)
  // Node would look for a port
  if (path === '') throw fail('EINVAL', 'a path cannot be empty')
  if (signal?.aborted) throw fail('ECANCELED', 'its signal was aborted', signal.reason)
  const isDevice = stat(path)?.isCharacterDevice() ?? false
  if (!isDevice && Buffer.byteLength(path) > socketPathMax) {
    throw fail('ENAMETOOLONG', `at most ${socketPathMax} bytes for a socket`)
  }
  let duplex: Duplex
  try {
    duplex = await (isDevice ? openXenbusDevice(path) : connectSocket({ path }, signal))
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw fail('ECANCELED', 'its signal was aborted', error)
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    throw fail(code, reasons.get(code) ?? message, error)
  }
  try {
    return openXenstore(duplex, options)
  } catch (error) {
    duplex.close()
    throw error
  }
}

function defaultPath(): string {
  const socket = socketPath(process.env)
  return stat(socket) === undefined && stat(xenbus) !== undefined ? xenbus : socket
}

const stat = (path: string) => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

const reasons = new Map([
  ['ENOENT', 'no such socket: is xenstored running?'],
  ['ECONNREFUSED', 'nobody listens there: is xenstored running?'],
  ['EACCES', 'only root may talk to xenstored'],
])
