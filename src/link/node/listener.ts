import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from '../duplex.js'
import { checkAddress, type SocketAddress } from './socket-address.js'
import { StreamDuplex } from './stream-duplex.js'

/** After so many milliseconds of silence TCP asks whether the other end is there still. */
const keepAliveInitialDelay = 30_000

/** A socket at which others find us. */
export interface Listener extends AsyncDisposable {
  /** Where; with the port that the system chose, where it was 0. */
  readonly address: SocketAddress
  /** Ends its connections once what was written is sent, and removes a unix socket. */
  close(): Promise<void>
}

/** Puts another stream on a connection's socket: TLS. What comes out of the duplex before is no longer heard. */
export type Upgrade = (wrap: (socket: Socket) => Promise<Socket>) => Promise<Duplex>

/**
 * Listens on a unix socket, which only this user can connect to, or on a TCP port (of this machine alone, if no host is
 * said). The unix socket of a server that is dead is replaced. Fails with the system's error; EADDRINUSE where another server
 * listens there, or something else is there.
 */
export async function listen(
  address: SocketAddress,
  accept: (duplex: Duplex, upgrade: Upgrade) => void,
): Promise<Listener> {
  checkAddress(address)
  const open = new Set<StreamDuplex>()
  const opened = (socket: Socket): StreamDuplex => {
    const duplex = new StreamDuplex(socket)
    open.add(duplex)
    socket.once('close', () => open.delete(duplex))
    return duplex
  }
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay }, socket => {
    const duplex = opened(socket)
    accept(duplex, async wrap => {
      duplex.detach()
      return opened(await wrap(socket))
    })
  })
  try {
    await listenAnew(server, address)
    if ('path' in address) await chmod(address.path, 0o600)
  } catch (error) {
    server.close()
    throw error
  }
  // a connection that could not be taken (no file left) is its client's trouble
  server.on('error', () => {})
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise(resolve => {
      server.close(() => resolve())
      for (const duplex of open) duplex.close()
    })
    return closed
  }
  return { address: actual(server, address), close, [Symbol.asyncDispose]: close }
}

async function listenAnew(server: Server, address: SocketAddress): Promise<void> {
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
