import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Duplex } from '../duplex.js'
import { type MutualTls, mutualTlsOptions } from './mutual-tls.js'
import { checkAddress, type SocketAddress } from './socket-address.js'
import { StreamDuplex } from './stream-duplex.js'
import { whenConnected } from './when-connected.js'

export interface ConnectStreamOptions {
  tls?: MutualTls | undefined
  signal?: AbortSignal | undefined
}

/**
 * Connects, over TLS where certificates are given. Unlike `connectSocket`'s, the connection can be paused and says how much is unsent, for
 * those who send or take more than fits into memory. Fails with the system's error, or the signal's reason.
 */
export async function connectStream(
  address: SocketAddress,
  { tls, signal }: ConnectStreamOptions = {},
): Promise<Duplex> {
  checkAddress(address)
  signal?.throwIfAborted()
  const where = 'path' in address ? address : { host: '127.0.0.1', ...address }
  const socket =
    tls === undefined ? connect({ ...where, noDelay: true }) : connectTls({ ...where, ...mutualTlsOptions(tls) })
  return whenConnected(socket, tls === undefined ? 'connect' : 'secureConnect', signal, () => {
    socket.setNoDelay(true)
    return new StreamDuplex(socket)
  })
}
