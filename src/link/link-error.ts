import { XenlightError } from '../xenlight-error.js'

/**
 * What can befall a connection and what is asked over it: `ETIMEDOUT` its time was up, `ECANCELED` its signal was aborted (the
 * `cause` is the signal's reason), `ECONNRESET` the other end closed the connection, `EPROTO` it sent what is not the protocol,
 * `EBADF` used after its end, `EOVERFLOW` more events came than are kept. Others are the protocol's or the system's own.
 */
export type LinkErrorCode = 'ETIMEDOUT' | 'ECANCELED' | 'ECONNRESET' | 'EPROTO' | 'EBADF' | 'EOVERFLOW'

/** The base of the errors of every protocol: `code` says what happened, `cause` what led to it. */
export class LinkError extends XenlightError {
  override readonly name: string = 'LinkError'
  readonly code: LinkErrorCode | (string & {})

  constructor(code: LinkErrorCode | (string & {}), message: string, { cause }: { cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
