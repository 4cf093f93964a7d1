import { checkObject } from '../../check-argument.js'
import { listen } from '../../link/node/listener.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import type { NbdExports } from '../nbd-export.js'
import { NbdServer, type NbdServerOptions } from '../server/nbd-server.js'
import { type NbdServerTls, serverTls } from './server-tls.js'

export interface NbdListenOptions extends NbdServerOptions {
  tls?: NbdServerTls | undefined
}

/** An NBD server at a socket. */
export interface NbdListener extends AsyncDisposable {
  /** Where; with the port that the system chose, where it was 0. */
  readonly address: SocketAddress
  readonly connections: number
  /** How many clients have an export. */
  clients(exportName: string): number
  /** See `NbdServer.drop`. */
  drop(exportName: string): Promise<void>
  /** Ends all connections; settles when nothing of theirs has an effect any more. */
  close(): Promise<void>
}

/**
 * Serves exports at a unix socket, which only this user can connect to, or at a TCP port (of this machine alone, if no host
 * is said).
 *
 * @throws the system's error (EADDRINUSE where another server listens there); TypeError, RangeError for wrong arguments
 */
export async function listenNbd(
  address: SocketAddress,
  exports: NbdExports,
  options: NbdListenOptions = {},
): Promise<NbdListener> {
  checkObject('address', address, 'a path, or a host and a port')
  const server = new NbdServer(exports, options)
  const tls = options.tls && serverTls(options.tls)
  const listener = await listen(address, (duplex, upgrade) =>
    server.serve(duplex, tls && { secure: () => upgrade(tls.wrap), must: tls.must }),
  )
  const close = async () => {
    const closed = listener.close()
    await server.close()
    await closed
  }
  return {
    address: listener.address,
    get connections() {
      return server.connections
    },
    clients: name => server.clients(name),
    drop: name => server.drop(name),
    close,
    [Symbol.asyncDispose]: close,
  }
}
