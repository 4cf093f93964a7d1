import { XenlightError } from '../xenlight-error.js'

/** Why Remus fails. */
export const remusErrorCodes = [
  /** drbdadm or drbdsetup is not installed. */
  'tool-missing',
  /** A tool could not be run, or was ended by a signal. */
  'tool-failed',
  /** A tool wrote more than is taken from it. */
  'tool-output',
  /** The disk is no DRBD device whose checkpoints could be used: the message says which of the probe's answers it is. */
  'not-ready',
  /** A step of a checkpoint was refused by the device, or lost its peer. */
  'checkpoint-failed',
  /** koffi, an optional package, is not installed. */
  'no-koffi',
] as const

export type RemusErrorCode = (typeof remusErrorCodes)[number]

/** That Remus cannot do what it was asked for. */
export class RemusError extends XenlightError {
  override readonly name = 'RemusError'
  readonly code: RemusErrorCode

  constructor(code: RemusErrorCode, message: string, { cause }: { cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
