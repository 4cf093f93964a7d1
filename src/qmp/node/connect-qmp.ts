import { checkInteger, checkLimits, checkObject, checkOptionalText, checkText } from '../../check-argument.js'
import { connectSocket } from '../../link/node/socket.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { openQmp, type QmpClientOptions } from '../client.js'
import type { Qmp } from '../qmp.js'
import { QmpError } from '../qmp-error.js'

/**
 * Connects to a QEMU's monitor: `-qmp unix:PATH,server=on,wait=off`, or a TCP port. A monitor serves one client at a time; give
 * QEMU a second one (`-qmp` again) to have a way past a command that blocks.
 *
 * @throws QmpError with the system's code (ENOENT, ECONNREFUSED, EACCES …), or as `openQmp` does
 */
export async function connectQmp(address: SocketAddress, options: QmpClientOptions = {}): Promise<Qmp> {
  checkMonitorAddress('address', address)
  checkLimits(options)
  const { signal } = options
  const where = 'path' in address ? address.path : `${address.host ?? 'localhost'}:${address.port}`
  try {
    signal?.throwIfAborted()
    return await openQmp(await connectSocket(address, signal), options)
  } catch (error) {
    if (error instanceof QmpError) throw error
    const isAborted = signal?.aborted && error === signal.reason
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    const why = isAborted ? 'its signal was aborted' : (reasons.get(code) ?? message)
    throw new QmpError(isAborted ? 'ECANCELED' : code, `no connection to QEMU at ${where}: ${why}`, { cause: error })
  }
}

/** @throws TypeError, RangeError for what is no address of a monitor */
export function checkMonitorAddress(name: string, address: SocketAddress): void {
  checkObject(name, address, 'a path, or a host and a port')
  if ('path' in address) {
    checkText(`${name}.path`, address.path)
  } else {
    checkOptionalText(`${name}.host`, address.host)
    checkInteger(`${name}.port`, address.port, 1, 65_535)
  }
}

const reasons = new Map([
  ['ENOENT', 'no such socket: does QEMU run, with -qmp unix:PATH,server=on,wait=off?'],
  ['ECONNREFUSED', 'nobody listens there: does QEMU still run?'],
  ['EACCES', 'not permitted'],
])
