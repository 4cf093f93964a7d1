import { complain } from '../command-line/complain.js'
import { SystemError } from '../command-line/system-error.js'
import { UsageError } from '../command-line/usage-error.js'
import { version } from '../command-line/version.js'
import { runBatch } from './batch/run-batch.js'
import { type Command, readCommand } from './command.js'
import { completionScript } from './completion/completion-script.js'
import { brokenPipe, done, internalError, refused, wrongUsage } from './exit-status.js'
import { helpText } from './help.js'
import type { Io } from './io.js'
import { isOutOfMemory } from './out-of-memory.js'
import { runDisks } from './run-disks.js'
import { isXlCall, runAsXl } from './xl-command.js'

/**
 * The whole command: what is done is said by what it writes and by its exit status, which only comes later where a running
 * Xen is asked. Never fails.
 */
export function run(io: Io): number | Promise<number> {
  try {
    const status = isXlCall(io.args) ? runAsXl(io) : runCommand(readCommand(io.args), io)
    return typeof status === 'number' ? status : status.catch(error => fail(error, io))
  } catch (error) {
    return fail(error, io)
  }
}

function runCommand(command: Command, io: Io): number | Promise<number> {
  switch (command.kind) {
    // what most commands need not load
    case 'apply':
      return import('./store/index.js').then(({ runApply }) => runApply(command, io))
    case 'list':
      return import('./store/index.js').then(({ runList }) => runList(command, io))
    case 'disks':
      return runDisks(command, io)
    case 'batch':
      return runBatch(command, io)
    case 'help':
      io.write(1, helpText())
      return done
    case 'version':
      io.write(1, `xl-disk-parse ${version()}\n`)
      return done
    case 'completion':
      io.write(1, completionScript(command.shell))
      return done
  }
}

function fail(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    complain(io, 'xl-disk-parse', error.message, "Try 'xl-disk-parse --help'.")
    return wrongUsage
  }
  if (error instanceof SystemError) {
    if (error.code === 'EPIPE') return brokenPipe
    complain(io, 'xl-disk-parse', error.message)
    return refused
  }
  // by its name, as the command that is built has the class twice
  if (error instanceof Error && error.name === 'XenstoreError') {
    complain(io, 'xl-disk-parse', `xenstore: ${error.message}`)
    return refused
  }
  if (isOutOfMemory(error)) {
    complain(io, 'xl-disk-parse', 'what is to be said of this input is more than fits into memory')
    return refused
  }
  complain(io, 'xl-disk-parse', `internal error: ${error instanceof Error ? error.message : String(error)}`)
  return internalError
}
