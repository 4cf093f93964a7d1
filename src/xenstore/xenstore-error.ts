import { LinkError, type LinkErrorCode } from '../link/link-error.js'
import type { Operation } from './operation.js'

/** The errors that a daemon answers with (xs_wire.h). */
export type WireErrorCode =
  | 'EINVAL'
  | 'EACCES'
  | 'EEXIST'
  | 'EISDIR'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'EIO'
  | 'ENOTEMPTY'
  | 'ENOSYS'
  | 'EROFS'
  | 'EBUSY'
  | 'EAGAIN'
  | 'EISCONN'
  | 'E2BIG'
  | 'EPERM'

/**
 * What can befall a request besides: `ETIMEDOUT` its time was up, `ECANCELED` its signal was aborted (the `cause` is the
 * signal's reason), `ENAMETOOLONG` and `EINVAL` refused here before anything was sent, `ECONNRESET` the daemon closed the
 * connection, `EPROTO` it sent what is not the protocol, `EBADF` used after its end (`close()`, a finished transaction),
 * `EOVERFLOW` a watch's buffer ran over. Errors of the system's when connecting keep its own code, as `ECONNREFUSED`.
 */
export type XenstoreErrorCode = WireErrorCode | LinkErrorCode | 'ENAMETOOLONG' | 'ECONNREFUSED' | (string & {})

export interface XenstoreErrorDetails {
  operation?: Operation | 'CONNECT' | undefined
  path?: string | undefined
  cause?: unknown
}

/** The one error of everything in `xenlight/xenstore`: what failed (`operation`, `path`), and how (`code`). */
export class XenstoreError extends LinkError {
  override readonly name = 'XenstoreError'
  declare readonly code: XenstoreErrorCode
  /** The request in the protocol's words; absent where no single request failed. */
  readonly operation: Operation | 'CONNECT' | undefined
  /** The path that the request was about, as it was given. */
  readonly path: string | undefined

  constructor(code: XenstoreErrorCode, message: string, { operation, path, cause }: XenstoreErrorDetails = {}) {
    super(code, message, { cause })
    this.operation = operation
    this.path = path
  }
}
