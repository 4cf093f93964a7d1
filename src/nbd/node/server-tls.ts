import type { Socket } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import { checkFlag, checkObject } from '../../check-argument.js'
import { NbdError } from '../nbd-error.js'

/** PEM texts, as `node:tls` takes them. */
export interface NbdServerTls {
  cert: string | Uint8Array
  key: string | Uint8Array
  /** Clients must have a certificate by this authority. */
  ca?: string | Uint8Array | undefined
  /** Clients without TLS are served nothing (FORCEDTLS). True by default. */
  required?: boolean | undefined
}

/** @throws what `node:tls` throws for a certificate or key that is none */
export function serverTls(options: NbdServerTls): { wrap: (socket: Socket) => Promise<Socket>; must: boolean } {
  checkObject('tls', options)
  const { cert, key, ca, required = true } = options
  checkFlag('tls.required', required)
  const context = {
    cert: text(cert),
    key: text(key),
    ...(ca === undefined ? {} : { ca: text(ca) }),
    requestCert: ca !== undefined,
    rejectUnauthorized: ca !== undefined,
    minVersion: 'TLSv1.2',
  } as const
  createSecureContext(context)
  // a TLSSocket alone would not look at the client's certificate
  const wrap = (socket: Socket): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const server = createServer(context, resolve)
      server.once('tlsClientError', reject)
      socket.once('close', () => reject(new NbdError('ECONNRESET', 'the client went before TLS was there')))
      server.emit('connection', socket)
    })
  return { wrap, must: required }
}

const text = (pem: string | Uint8Array): string => (typeof pem === 'string' ? pem : new TextDecoder().decode(pem))
