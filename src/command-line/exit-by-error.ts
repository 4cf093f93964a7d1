import { complain } from './complain.js'
import type { Io } from './io.js'
import { SystemError } from './system-error.js'
import { UsageError } from './usage-error.js'

/** A command's own exit statuses, of what can happen to each. */
export interface ErrorStatuses {
  wrongUsage: number
  brokenPipe: number
  internalError: number
  /** Of any other error that is not the command's own fault; undefined of one that is. */
  of(error: unknown): number | undefined
}

/** Says what went wrong. @returns the exit status */
export function exitByError(error: unknown, io: Io, name: string, statuses: ErrorStatuses): number {
  if (error instanceof UsageError) {
    complain(io, name, error.message, `Try '${name} --help'.`)
    return statuses.wrongUsage
  }
  if (error instanceof SystemError && error.code === 'EPIPE') return statuses.brokenPipe
  const status = statuses.of(error)
  const message = error instanceof Error ? error.message : String(error)
  complain(io, name, status === undefined ? `internal error: ${message}` : message)
  return status ?? statuses.internalError
}
