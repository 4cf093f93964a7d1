const codes = {
  [-3]: 'ERROR_FAIL',
  [-6]: 'ERROR_INVAL',
  [-9]: 'ERROR_TIMEDOUT',
  [-15]: 'ERROR_LOCK_FAIL',
  [-16]: 'ERROR_JSON_CONFIG_EMPTY',
  [-17]: 'ERROR_DEVICE_EXISTS',
  [-22]: 'ERROR_ABORTED',
} as const

/** libxl's own number for a refusal (`libxl_error` of libxl_types.idl): those with which it refuses or gives up disks. */
export type LibxlRc = keyof typeof codes
/** The name of that number. */
export type LibxlErrorCode = (typeof codes)[LibxlRc]

/** A refusal that libxl would answer with: its number, the number's name, and libxl's reason as the message. */
export class LibxlError extends Error {
  override readonly name: string = 'LibxlError'
  readonly rc: LibxlRc
  readonly code: LibxlErrorCode
  /** The disk that is refused, by its name, where several were given. */
  vdev?: string
  /** What libxl warned of before it refused. */
  warnings: readonly string[] = []

  constructor(rc: LibxlRc, message: string, options?: ErrorOptions) {
    super(message, options)
    this.rc = rc
    this.code = codes[rc]
  }
}
