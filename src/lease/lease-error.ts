import { XenlightError } from '../xenlight-error.js'

/**
 * Why something about a lease fails:
 * - `taken` another holder has it
 * - `lost` it is no longer this holder's, or may soon be another's
 * - `fenced` the resource has seen a higher epoch
 * - `unreachable` nobody answered in time; what was asked may have been done all the same
 * - `refused` the store says no
 * - `protocol` an answer is none of the store's, or is too long
 * - `too-many` there are more records than are read
 * - `canceled` the caller's signal was aborted; what was asked may have been done all the same
 */
export const leaseErrorCodes = [
  'taken',
  'lost',
  'fenced',
  'unreachable',
  'refused',
  'protocol',
  'too-many',
  'canceled',
] as const

export type LeaseErrorCode = (typeof leaseErrorCodes)[number]

/** That a lease is not had, or that a record cannot be read or written. */
export class LeaseError extends XenlightError {
  override readonly name: string = 'LeaseError'
  readonly code: LeaseErrorCode

  constructor(code: LeaseErrorCode, message: string, { cause }: { cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Says whether an error is one of these codes. */
export const isLeaseError = (error: unknown, ...codes: readonly LeaseErrorCode[]): error is LeaseError =>
  error instanceof LeaseError && codes.includes(error.code)
