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
    return exitByAnyError(error, io, 'rephub', exitStatus)
  }
}

/** What serves is loaded only where it is needed: it is most of the command. */
async function runCommand(command: Command, io: Io): Promise<number> {
  switch (command.kind) {
    case 'serve':
      return (await import('./verbs/run-serve.js')).runServe(command, io)
    case 'hubs':
      return (await import('./verbs/run-hubs.js')).runHubs(command, io)
    case 'status':
      return (await import('./verbs/run-status.js')).runStatus(command, io)
    case 'points':
      return (await import('./verbs/run-points.js')).runPoints(command, io)
    case 'test':
    case 'failover':
      return (await import('./verbs/run-branch.js')).runBranch(command, io)
    case 'arguments':
      return (await import('./verbs/run-arguments.js')).runArguments(command, io)
    case 'read':
      return (await import('./verbs/run-read.js')).runRead(command, io)
    case 'write':
      return (await import('./verbs/run-write.js')).runWrite(command, io)
    case 'commit':
    case 'discard':
      return (await import('./verbs/run-end.js')).runEnd(command, io)
    case 'failback':
      return (await import('./verbs/run-failback.js')).runFailback(command, io)
    case 'hold':
    case 'release':
      return (await import('./verbs/run-hold.js')).runHold(command, io)
    case 'checkpoint':
      return (await import('./verbs/run-checkpoint.js')).runCheckpoint(command, io)
    case 'pause':
    case 'resume':
    case 'stop':
    case 'start':
      return (await import('./verbs/run-protection.js')).runProtection(command, io)
    case 'help':
    case 'version':
    case 'completion':
      runCommonCommand(command, io, { name: 'rephub', verbs, options, help: helpText })
      return exitStatus('done')
  }
}
