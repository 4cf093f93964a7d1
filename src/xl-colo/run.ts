import { SystemError } from '../command-line/system-error.js'
import { UsageError } from '../command-line/usage-error.js'
import { version } from '../command-line/version.js'
import { printable } from '../printable.js'
import { XenlightError } from '../xenlight-error.js'
import type { Command } from './command.js'
import { completionScript } from './completion/completion-script.js'
import { exitStatus } from './exit-status.js'
import { helpText } from './help.js'
import type { Io } from './io.js'
import { readCommand } from './read-command.js'
import { Refusal } from './refusal.js'
import { runCheckpoint } from './verbs/run-checkpoint.js'
import { runFailover } from './verbs/run-failover.js'
import { runPrepare } from './verbs/run-prepare.js'
import { runStart } from './verbs/run-start.js'
import { runStatus } from './verbs/run-status.js'
import { runStop } from './verbs/run-stop.js'

/** The whole command: what is done is said by what it writes and by its exit status. Never fails. */
export async function run(io: Io): Promise<number> {
  try {
    return await runCommand(readCommand(io.args), io)
  } catch (error) {
    return fail(error, io)
  }
}

async function runCommand(command: Command, io: Io): Promise<number> {
  switch (command.kind) {
    case 'start':
      return runStart(command, io)
    case 'status':
      return runStatus(command, io)
    case 'checkpoint':
      return runCheckpoint(command, io)
    case 'failover':
      return runFailover(command, io)
    case 'stop':
      return runStop(command, io)
    case 'prepare':
      return runPrepare(command, io)
    case 'help':
      io.write(1, helpText())
      return exitStatus('done')
    case 'version':
      io.write(1, `xl-colo ${version()}\n`)
      return exitStatus('done')
    case 'completion':
      io.write(1, completionScript(command.shell))
      return exitStatus('done')
  }
}

function fail(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    complain(io, error.message, "Try 'xl-colo --help'.")
    return exitStatus('wrongUsage')
  }
  if (error instanceof SystemError && error.code === 'EPIPE') return exitStatus('brokenPipe')
  if (error instanceof Refusal) {
    complain(io, error.message)
    return exitStatus(error.status)
  }
  if (error instanceof XenlightError || error instanceof SystemError) {
    complain(io, error.message)
    return exitStatus('failed')
  }
  complain(io, `internal error: ${error instanceof Error ? error.message : String(error)}`)
  return exitStatus('internalError')
}

function complain(io: Io, ...lines: string[]): void {
  try {
    io.write(2, `xl-colo: ${lines.map(printable).join('\n')}\n`)
  } catch {
    // nobody is left to tell
  }
}
