import { printable } from '../../printable.js'
import { LinkError } from '../link-error.js'
import type { SocketAddress } from './socket-address.js'

/** What may be wrong, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  EACCES: 'the folder is not there, or not for this user',
  EADDRINUSE: 'another process listens there, or a file is in its place: end it, or take another one',
  EADDRNOTAVAIL: 'this machine has no such address',
}

/** Listens, or says for whom, where and why it cannot. @throws LinkError with the system's code */
export async function listening<Listener>(
  whom: string,
  address: SocketAddress,
  listener: Promise<Listener>,
): Promise<Listener> {
  try {
    return await listener
  } catch (error) {
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    const where = 'path' in address ? address.path : `${address.host ?? '127.0.0.1'}:${address.port}`
    const why = hints[code] === undefined ? message : `${hints[code]} (${code})`
    throw new LinkError(code, printable(`cannot listen for ${whom} at ${where}: ${why}`), { cause: error })
  }
}
