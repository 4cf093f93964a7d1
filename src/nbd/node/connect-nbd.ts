import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { checkLimits, checkObject, checkOptionalText } from '../../check-argument.js'
import type { Duplex } from '../../link/duplex.js'
import { connectSocket } from '../../link/node/socket.js'
import { checkAddress, type SocketAddress } from '../../link/node/socket-address.js'
import { StreamDuplex } from '../../link/node/stream-duplex.js'
import type { ClientConnection } from '../client/client-connection.js'
import { type NbdClient, type NbdClientOptions, negotiated, openNbd } from '../client/nbd-client.js'
import { inquireExport, inquireNames, type NegotiateOptions } from '../client/negotiate.js'
import type { ExportInfo } from '../client/options.js'
import { NbdError } from '../nbd-error.js'

/** PEM texts, as `node:tls` takes them. */
export interface NbdClientTls {
  /** Authorities that the server's certificate is checked by; those of Node.js by default. */
  ca?: string | Uint8Array | undefined
  cert?: string | Uint8Array | undefined
  key?: string | Uint8Array | undefined
  /** The name that the server's certificate has to be for; the host by default. Needed for a unix socket. */
  serverName?: string | undefined
}

export interface NbdConnectOptions extends Omit<NbdClientOptions, 'secure'> {
  /** TLS is used, and a server without it refused. */
  tls?: NbdClientTls | undefined
}

/**
 * Connects to an export of an NBD server, at a unix socket or by TCP.
 *
 * @throws NbdError with the system's code (ENOENT, ECONNREFUSED, …), or as `openNbd` does
 */
export async function connectNbd(address: SocketAddress, options: NbdConnectOptions = {}): Promise<NbdClient> {
  const { duplex, secure } = await reach(address, options)
  return openNbd(duplex, { ...options, secure })
}

/** The names of all exports that a server tells of. @throws NbdError as `connectNbd` does */
export const listExports = (address: SocketAddress, options: NbdConnectOptions = {}): Promise<string[]> =>
  inquire(address, options, inquireNames)

/** What a server says of an export, which is not opened. @throws NbdError as `connectNbd` does */
export const infoExport = (address: SocketAddress, options: NbdConnectOptions = {}): Promise<ExportInfo> =>
  inquire(address, options, inquireExport)

async function inquire<Found>(
  address: SocketAddress,
  options: NbdConnectOptions,
  ask: (connection: ClientConnection, options: NegotiateOptions) => Promise<Found>,
): Promise<Found> {
  const { duplex, secure } = await reach(address, options)
  const { connection, found } = await negotiated(duplex, { ...options, secure }, ask)
  connection.end(new NbdError('EBADF', 'all was asked'))
  return found
}

async function reach(
  address: SocketAddress,
  options: NbdConnectOptions,
): Promise<{ duplex: Duplex; secure?: () => Promise<Duplex> }> {
  checkObject('address', address, 'a path, or a host and a port')
  checkObject('options', options)
  checkLimits(options)
  const { signal, tls, export: exportName } = options
  // before there is a connection that nobody would end
  checkOptionalText('export', exportName)
  try {
    signal?.throwIfAborted()
    if (tls === undefined) return { duplex: await connectSocket(address, signal) }
    checkObject('tls', tls)
    return await reachForTls(address, tls, signal)
  } catch (error) {
    if (error instanceof NbdError) throw error
    const isAborted = signal?.aborted && error === signal.reason
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    const where = 'path' in address ? address.path : `${address.host ?? 'localhost'}:${address.port}`
    const why = isAborted ? 'its signal was aborted' : message
    throw new NbdError(isAborted ? 'ECANCELED' : code, `no connection to NBD at ${where}: ${why}`, { cause: error })
  }
}

/** TLS is put on a plain stream: the other kind of socket reads past Node's streams. */
async function reachForTls(
  address: SocketAddress,
  tls: NbdClientTls,
  signal: AbortSignal | undefined,
): Promise<{ duplex: Duplex; secure: () => Promise<Duplex> }> {
  checkAddress(address)
  const socket = connect({ ...address, noDelay: true } as Parameters<typeof connect>[0] & object)
  await settled(socket, 'connect', signal)
  const duplex = new StreamDuplex(socket)
  const host = 'path' in address ? undefined : address.host
  const secure = async (): Promise<Duplex> => {
    duplex.detach()
    const secured = connectTls({ socket, ...given(tls), ...named(tls.serverName ?? host), minVersion: 'TLSv1.2' })
    await settled(secured, 'secureConnect', signal)
    return new StreamDuplex(secured)
  }
  return { duplex, secure }
}

function settled(socket: Socket, event: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (end: () => void) => {
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed).off('close', closed)
      end()
    }
    const failed = (error: unknown) =>
      over(() => {
        socket.on('error', () => {})
        socket.destroy()
        reject(error)
      })
    const aborted = () => failed(signal?.reason)
    const closed = () => failed(new NbdError('ECONNRESET', 'the server closed the connection'))
    socket.once('error', failed).once('close', closed)
    signal?.addEventListener('abort', aborted)
    socket.once(event, () => over(resolve))
  })
}

function given({ ca, cert, key }: NbdClientTls): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ...(ca === undefined ? {} : { ca: Buffer.from(ca as string) }),
    ...(cert === undefined ? {} : { cert: Buffer.from(cert as string) }),
    ...(key === undefined ? {} : { key: Buffer.from(key as string) }),
  }
}

const named = (name: string | undefined): { servername?: string; host?: string } =>
  name === undefined ? {} : { servername: name, host: name }
