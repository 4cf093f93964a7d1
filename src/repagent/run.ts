import { runCommonCommand } from '../command-line/common-command.js'
import type { Io } from '../command-line/io.js'
import { exitByAnyError } from '../replication-command/exit-by-any-error.js'
import type { Command } from './command.js'
import { exitStatus } from './exit-status.js'
import { helpText } from './help.js'
import { options } from './option-table.js'
import { readCommand } from './read-command.js'
import { verbs } from './verbs.js'

/** The whole command: what is done is said by what it writes and by its exit status. Never fails. */
export async function run(io: Io): Promise<number> {
  try {
    return await runCommand(readCommand(io.args), io)
  } catch (error) {
    return exitByAnyError(error, io, 'repagent', exitStatus)
  }
}

/** What serves is loaded only where it is needed: it is most of the command. */
async function runCommand(command: Command, io: Io): Promise<number> {
  switch (command.kind) {
    case 'serve':
      return (await import('./verbs/run-serve.js')).runServe(command, io)
    case 'protect':
      return (await import('./verbs/run-serve.js')).runProtect(command, io)
    case 'status':
      return (await import('./verbs/run-status.js')).runStatus(command, io)
    case 'pause':
    case 'resume':
    case 'stop':
    case 'start':
    case 'hold':
    case 'release':
      return (await import('./verbs/run-group.js')).runGroup(command, io)
    case 'header':
      return (await import('./verbs/run-header.js')).runHeader(command, io)
    case 'checkpoint':
      return (await import('./verbs/run-checkpoint.js')).runCheckpoint(command, io)
    case 'help':
    case 'version':
    case 'completion':
      runCommonCommand(command, io, { name: 'repagent', verbs, options, help: helpText })
      return exitStatus('done')
  }
}
