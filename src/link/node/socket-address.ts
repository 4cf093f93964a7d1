import { Buffer } from 'node:buffer'
import { LinkError } from '../link-error.js'

/** Where something listens: a unix socket, or a TCP port. */
export type SocketAddress = { path: string } | { host?: string | undefined; port: number }

/** How many bytes the path of a unix socket may have: `sun_path` of Linux, without its NUL. */
export const socketPathMax = 107

/** @throws LinkError ENAMETOOLONG for a path that Node would cut off without a word */
export function checkAddress(address: SocketAddress): void {
  if ('path' in address && Buffer.byteLength(address.path) > socketPathMax) {
    throw new LinkError('ENAMETOOLONG', `${address.path}: at most ${socketPathMax} bytes for a socket`)
  }
}
