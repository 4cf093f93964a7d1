import { runCommonCommand } from '../command-line/common-command.js'
import { type ErrorStatuses, exitByError } from '../command-line/exit-by-error.js'
import type { Io } from '../command-line/io.js'
import { SystemError } from '../command-line/system-error.js'
import { XenlightError } from '../xenlight-error.js'
import type { Command } from './command.js'
import { exitStatus } from './exit-status.js'
import { helpText } from './help.js'
import { options } from './option-table.js'
import { readCommand } from './read-command.js'
import { Refusal } from './refusal.js'
import { runCheckpoint } from './verbs/run-checkpoint.js'
import { runFailover } from './verbs/run-failover.js'
import { runPrepare } from './verbs/run-prepare.js'
import { runStart } from './verbs/run-start.js'
import { runStatus } from './verbs/run-status.js'
import { runStop } from './verbs/run-stop.js'
import { verbs } from './verbs.js'

const statuses: ErrorStatuses = {
  wrongUsage: exitStatus('wrongUsage'),
  brokenPipe: exitStatus('brokenPipe'),
  internalError: exitStatus('internalError'),
  of: statusOf,
}

/** The whole command: what is done is said by what it writes and by its exit status. Never fails. */
export async function run(io: Io): Promise<number> {
  try {
    return await runCommand(readCommand(io.args), io)
  } catch (error) {
    return exitByError(error, io, 'xl-colo', statuses)
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
    case 'version':
    case 'completion':
      runCommonCommand(command, io, { name: 'xl-colo', verbs, options, help: helpText })
      return exitStatus('done')
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof Refusal) return exitStatus(error.status)
  return error instanceof XenlightError || error instanceof SystemError ? exitStatus('failed') : undefined
}
