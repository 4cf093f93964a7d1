import type { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, TLSSocket } from 'node:tls'
import { LinkError } from '../link-error.js'

/**
 * Certificates in PEM, by which two ends know each other: each shows its own, and takes the other's where `ca` has signed it. Whom else
 * that authority signs is trusted too: take one that signs nobody else.
 */
export interface MutualTls {
  ca: string | Buffer
  cert: string | Buffer
  key: string | Buffer
}

const minVersion = 'TLSv1.3'

/** Says of certificates that cannot be used, before anybody connects. @throws LinkError with the code of OpenSSL's error */
export function checkMutualTls({ ca, cert, key }: MutualTls): void {
  try {
    createSecureContext({ ca, cert, key, minVersion })
  } catch (error) {
    const { code = 'EPROTO', message } = error as NodeJS.ErrnoException
    const wanted = "the authority's certificate, one of its, and the key of that one, each in PEM"
    throw new LinkError(code, `the certificates for TLS cannot be used (${message}): they have to be ${wanted}`, {
      cause: error,
    })
  }
}

/** Puts TLS on a connection that came in. Fails where the other end shows no certificate of the authority. */
export function acceptMutualTls({ ca, cert, key }: MutualTls): (socket: Socket) => Promise<Socket> {
  const context = { ca, cert, key, minVersion, requestCert: true, rejectUnauthorized: true } as const
  return socket =>
    new Promise((resolve, reject) => {
      // a TLSSocket alone would not look at the certificate
      const server = createServer(context, resolve)
      server.once('tlsClientError', reject)
      socket.once('close', () => reject(new Error('the connection ended before it was secure')))
      server.emit('connection', socket)
    })
}

/** What `tls.connect` needs: the authority says who may be there, and no name. */
export const mutualTlsOptions = ({ ca, cert, key }: MutualTls) =>
  ({ ca, cert, key, minVersion, checkServerIdentity: () => undefined }) as const

/** Says whether the certificate that the other end has shown is of a name: of that very one, no pattern. Undefined where there is none. */
export function certifiedName(socket: Socket): ((name: string) => boolean) | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate && (name => certificate.checkHost(name, { subject: 'always', wildcards: false }) === name)
}
