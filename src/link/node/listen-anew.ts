import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import type { SocketAddress } from './socket-address.js'

/**
 * Has a server listen as `listen` says: a unix socket is for this user alone, and takes the place of a dead one. Closes the server where it
 * cannot.
 *
 * @returns where; with the port that the system chose, where it was 0
 */
export async function listenAnew(server: Server, address: SocketAddress): Promise<SocketAddress> {
  try {
    await listenOrReplace(server, address)
    if ('path' in address) await chmod(address.path, 0o600)
  } catch (error) {
    server.close()
    throw error
  }
  return actual(server, address)
}

async function listenOrReplace(server: Server, address: SocketAddress): Promise<void> {
  try {
    await listenOnce(server, address)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !('path' in address)) throw error
    if (!(await isDeadSocket(address.path))) throw error
    await unlink(address.path)
    await listenOnce(server, address)
  }
}

function listenOnce(server: Server, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen('path' in address ? address : { host: '127.0.0.1', ...address }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function actual(server: Server, address: SocketAddress): SocketAddress {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : address
}

async function isDeadSocket(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
