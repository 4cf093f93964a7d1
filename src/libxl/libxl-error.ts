import { XenlightError } from '../xenlight-error.js'
import type { DeviceDisk } from './device-disk.js'
import { fieldByReason, type LibxlReason, rcByReason } from './libxl-reason.js'

const codes = {
  [-3]: 'ERROR_FAIL',
  [-6]: 'ERROR_INVAL',
  [-9]: 'ERROR_TIMEDOUT',
  [-15]: 'ERROR_LOCK_FAIL',
  [-16]: 'ERROR_JSON_CONFIG_EMPTY',
  [-17]: 'ERROR_DEVICE_EXISTS',
  [-22]: 'ERROR_ABORTED',
} as const

/** libxl's own number for a refusal (`libxl_error` of libxl_types.idl): those with which it refuses or aborts. */
export type LibxlRc = keyof typeof codes
/** The name of that number. */
export type LibxlErrorCode = (typeof codes)[LibxlRc]

export interface LibxlErrorDetails {
  /** The disk that is refused, by its name. */
  vdev?: string | undefined
  /** The field of its record that is refused; by default what the reason says. */
  field?: keyof DeviceDisk | undefined
  /** What libxl warned of before it refused. */
  warnings?: readonly string[] | undefined
  cause?: unknown
}

/** A refusal that libxl would answer with: its number and the number's name, why for a program, and libxl's words as the message. */
export class LibxlError extends XenlightError {
  override readonly name: string = 'LibxlError'
  /** libxl's number. */
  declare readonly rc: LibxlRc
  /** The name of that number. */
  declare readonly code: LibxlErrorCode
  /** Why, more finely than libxl's numbers tell. */
  declare readonly reason: LibxlReason
  /** The disk that is refused, by its name, where it is known. */
  declare readonly vdev?: string
  /** The field of the disk's record that is refused, where it is one field. */
  declare readonly field?: keyof DeviceDisk
  /** What libxl warned of before it refused. */
  declare readonly warnings: readonly string[]

  constructor(reason: LibxlReason, message: string, details: LibxlErrorDetails = {}) {
    const { vdev, field = fieldByReason[reason], warnings = [], cause } = details
    super(message, cause === undefined ? undefined : { cause })
    const rc = rcByReason[reason]
    const facts = {
      rc,
      code: codes[rc],
      reason,
      ...(vdev !== undefined && { vdev }),
      ...(field !== undefined && { field }),
      warnings: Object.freeze([...warnings]),
    }
    for (const [name, value] of Object.entries(facts)) Object.defineProperty(this, name, { value, enumerable: true })
  }
}

/** The same refusal with more known about it: its place in the code is kept. */
export function withDetails(error: LibxlError, details: LibxlErrorDetails): LibxlError {
  const { reason, message, vdev, field, warnings, cause, stack } = error
  const copy = new LibxlError(reason, message, { vdev, field, warnings, cause, ...details })
  if (stack !== undefined) copy.stack = stack
  return copy
}
