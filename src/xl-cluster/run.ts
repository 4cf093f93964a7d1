import { runCommonCommand } from '../command-line/common-command.js'
import { type ErrorStatuses, exitByError } from '../command-line/exit-by-error.js'
import type { Io } from '../command-line/io.js'
import type { Command } from './command.js'
import { exitStatus } from './exit-status.js'
import { helpText } from './help.js'
import { options } from './option-table.js'
import { readCommand } from './read-command.js'
import { runArbiter } from './verbs/run-arbiter.js'
import { runForce } from './verbs/run-force.js'
import { runInstall } from './verbs/run-install.js'
import { runOcf } from './verbs/run-ocf.js'
import { runServe } from './verbs/run-serve.js'
import { verbs } from './verbs.js'

const statuses: ErrorStatuses = {
  wrongUsage: exitStatus('wrongUsage'),
  brokenPipe: exitStatus('brokenPipe'),
  internalError: exitStatus('internalError'),
  // what a tool or a file says is no defect of the command
  of: error => (error instanceof Error && !isDefect(error) ? exitStatus('failed') : undefined),
}

const isDefect = (error: Error): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError

/** The whole command: what is done is said by what it writes and by its exit status. Never fails. */
export async function run(io: Io): Promise<number> {
  try {
    return await runCommand(readCommand(io.args), io)
  } catch (error) {
    return exitByError(error, io, 'xl-cluster', statuses)
  }
}

async function runCommand(command: Command, io: Io): Promise<number> {
  switch (command.kind) {
    case 'install':
      return runInstall(command, io)
    case 'force':
      return runForce(command)
    case 'ocf':
      return runOcf(command, io)
    case 'arbiter':
      return runArbiter(command)
    case 'serve':
      return runServe(command, io)
    case 'help':
    case 'version':
    case 'completion':
      runCommonCommand(command, io, { name: 'xl-cluster', verbs, options, help: helpText })
      return exitStatus('done')
  }
}
