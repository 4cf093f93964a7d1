import { createServer, type Socket } from 'node:net'
import type { Duplex } from '../duplex.js'
import { listenAnew } from './listen-anew.js'
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
  const actual = await listenAnew(server, address)
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
  return { address: actual, close, [Symbol.asyncDispose]: close }
}
