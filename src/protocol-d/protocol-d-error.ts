import { XenlightError } from '../xenlight-error.js'

/**
 * Why a node refuses or fails:
 * - `not-primary` it is Secondary, and only a Primary is written to or takes checkpoints
 * - `not-writer` the other Primary writes, and takes checkpoints: one of two writes at a time
 * - `is-primary` it is Primary, and what is written there is not discarded
 * - `peer-is-primary` the peer is Primary, and two were not asked for
 * - `not-promotable` its data is half a copy, or older than the peer's
 * - `number-over` a promotion of that number, or a greater one, was made already
 * - `fenced` a later promotion was made elsewhere: it is no Primary any more
 * - `no-lease` the lease under which it is served is another's, or over
 * - `no-checkpoints` checkpointing is off (the EINVAL of DRBD's ioctl 20)
 * - `no-peer` no peer that holds the same data is connected (its EPROTO)
 * - `peer-lost` the connection ended before the peer acknowledged (the EPROTO of ioctl 30)
 * - `busy` another change of the same kind is under way
 * - `refused` the peer says no, or its lease decides it
 * - `in-use` another process has the node, or a client has its disk
 * - `other-pair` the node was made for a pair of another name
 * - `no-metadata` there is none, or both copies of it are damaged
 * - `file-failed` a file of the node failed; it does nothing any more
 */
export const protocolDErrorCodes = [
  'not-primary',
  'not-writer',
  'is-primary',
  'peer-is-primary',
  'not-promotable',
  'number-over',
  'fenced',
  'no-lease',
  'no-checkpoints',
  'no-peer',
  'peer-lost',
  'busy',
  'refused',
  'in-use',
  'other-pair',
  'no-metadata',
  'file-failed',
] as const

export type ProtocolDErrorCode = (typeof protocolDErrorCodes)[number]

export const isProtocolDErrorCode = (code: string): code is ProtocolDErrorCode =>
  (protocolDErrorCodes as readonly string[]).includes(code)

/** That a node of a replicated disk refuses, or fails. */
export class ProtocolDError extends XenlightError {
  override readonly name = 'ProtocolDError'
  readonly code: ProtocolDErrorCode

  constructor(code: ProtocolDErrorCode, message: string, { cause }: { cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}
