import { XenlightError } from '../xenlight-error.js'

/** docs/errors.md says when. */
export const replicationErrorCodes = [
  'bad-name',
  'not-found',
  'in-use',
  'not-allowed',
  'fenced',
  'owned',
  'full',
  'damaged',
  'no-such-point',
  'not-failed-over',
  'protocol',
  'lost',
  'file-failed',
  'qemu',
  'wrong-state',
] as const

export type ReplicationErrorCode = (typeof replicationErrorCodes)[number]

/** An agent or a hub cannot do what it should. */
export class ReplicationError extends XenlightError {
  override readonly name = 'ReplicationError'
  readonly code: ReplicationErrorCode

  constructor(code: ReplicationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const isReplicationErrorCode = (code: unknown): code is ReplicationErrorCode =>
  replicationErrorCodes.some(one => one === code)
