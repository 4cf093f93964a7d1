import { LinkError, type LinkErrorCode } from '../link/link-error.js'

/** QEMU's kinds of refusal (QapiErrorClass). Nearly all are a GenericError. */
export type QmpErrorClass =
  | 'GenericError'
  | 'CommandNotFound'
  | 'DeviceNotActive'
  | 'DeviceNotFound'
  | 'KVMMissingCap'
  | (string & {})

/**
 * What can befall a command: `refused` by QEMU (see `errorClass`), `monitor-text` the human monitor printed something, which is
 * how it fails, `job-failed` and `job-cancelled` its job ended so, `no-out-of-band` QEMU has no out-of-band commands, or what
 * befalls a connection.
 */
export type QmpErrorCode =
  | 'refused'
  | 'monitor-text'
  | 'job-failed'
  | 'job-cancelled'
  | 'no-out-of-band'
  | LinkErrorCode
  | (string & {})

export interface QmpErrorDetails {
  command?: string | undefined
  errorClass?: QmpErrorClass | undefined
  description?: string | undefined
  cause?: unknown
}

/** The one error of everything in `xenlight/qmp`: which command failed, and how (`code`). */
export class QmpError extends LinkError {
  override readonly name = 'QmpError'
  declare readonly code: QmpErrorCode
  /** The command; absent where no single one failed. */
  readonly command: string | undefined
  /** QEMU's kind of refusal, where it refused. */
  readonly errorClass: QmpErrorClass | undefined
  /** QEMU's own words, as they came; `message` has them fit for a terminal. */
  readonly description: string | undefined

  constructor(code: QmpErrorCode, message: string, { command, errorClass, description, cause }: QmpErrorDetails = {}) {
    super(code, message, { cause })
    this.command = command
    this.errorClass = errorClass
    this.description = description
  }
}
