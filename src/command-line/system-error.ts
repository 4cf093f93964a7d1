import { codeOf, reasonOf } from '../libxl/system-error.js'

/** The system refused; `reason` is in the C library's words. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly what: string

  constructor(what: string, code: string, reason: string) {
    super(`${what}: ${reason}`)
    this.what = what
    this.code = code
  }
}

/** Calls the system about something. @throws SystemError that names it */
export function calling<T>(what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new SystemError(what, codeOf(error), reasonOf(error))
  }
}
