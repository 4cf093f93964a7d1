import { complain } from '../command-line/complain.js'
import { exitByError } from '../command-line/exit-by-error.js'
import type { Io } from '../command-line/io.js'
import { ConfigError } from '../replication/config/config-error.js'
import { kindOfError } from './error-status.js'

/** The exit statuses that both commands have for an error. */
export type ErrorStatusName = 'failed' | 'refused' | 'wrongUsage' | 'internalError' | 'brokenPipe'

/** Says what went wrong; of a configuration all that is wrong, each with its place at the beginning of a line. @returns the exit status */
export function exitByAnyError(
  error: unknown,
  io: Io,
  name: string,
  exitStatus: (name: ErrorStatusName) => number,
): number {
  if (error instanceof ConfigError) {
    complain(io, name, 'the configuration cannot be used:', ...error.message.split('\n'))
    return exitStatus('wrongUsage')
  }
  return exitByError(error, io, name, {
    wrongUsage: exitStatus('wrongUsage'),
    brokenPipe: exitStatus('brokenPipe'),
    internalError: exitStatus('internalError'),
    of: error => {
      const kind = kindOfError(error)
      return kind && exitStatus(kind)
    },
  })
}
