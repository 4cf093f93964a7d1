const codes = {
  [-1]: 'ERROR_NONSPECIFIC',
  [-2]: 'ERROR_VERSION',
  [-3]: 'ERROR_FAIL',
  [-4]: 'ERROR_NI',
  [-5]: 'ERROR_NOMEM',
  [-6]: 'ERROR_INVAL',
  [-7]: 'ERROR_BADFAIL',
  [-8]: 'ERROR_GUEST_TIMEDOUT',
  [-9]: 'ERROR_TIMEDOUT',
  [-17]: 'ERROR_DEVICE_EXISTS',
} as const

/** libxl's own number for a refusal (`libxl_error` of libxl_types.idl). */
export type LibxlRc = keyof typeof codes
export type LibxlErrorCode = (typeof codes)[LibxlRc]

/** A refusal that libxl would answer with: its number, the number's name, and libxl's reason as the message. */
export class LibxlError extends Error {
  override readonly name: string = 'LibxlError'
  readonly rc: LibxlRc
  readonly code: LibxlErrorCode

  constructor(rc: LibxlRc, message: string, options?: ErrorOptions) {
    super(message, options)
    this.rc = rc
    this.code = codes[rc]
  }
}
