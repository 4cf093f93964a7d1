import { LinkError, type LinkErrorCode } from '../link/link-error.js'

/**
 * `bad-url` is no NBD URL; `refused` the server refused an option (an unknown export, TLS required, …); `no-tls` TLS was asked
 * for and the server has none; the server's own answers to a request (EIO,
 * ENOSPC, EPERM, EINVAL, ENOMEM, EOVERFLOW, ENOTSUP, ESHUTDOWN), or what befalls a connection.
 */
export type NbdErrorCode = 'bad-url' | 'refused' | 'no-tls' | LinkErrorCode | (string & {})

/** The one error of everything in `xenlight/nbd`. */
export class NbdError extends LinkError {
  override readonly name = 'NbdError'
  declare readonly code: NbdErrorCode
}
