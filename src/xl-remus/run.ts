import { runCommonCommand } from '../command-line/common-command.js'
import { type ErrorStatuses, exitByError } from '../command-line/exit-by-error.js'
import type { Io } from '../command-line/io.js'
import { SystemError } from '../command-line/system-error.js'
import { ProtocolDError, type ProtocolDErrorCode } from '../protocol-d/protocol-d-error.js'
import { XenlightError } from '../xenlight-error.js'
import type { Command } from './command.js'
import { exitStatus } from './exit-status.js'
import { helpText } from './help.js'
import { options } from './option-table.js'
import { readCommand } from './read-command.js'
import { runCheckpoint } from './verbs/run-checkpoint.js'
import { runCreate } from './verbs/run-create.js'
import { runPairs } from './verbs/run-pairs.js'
import { runProbe } from './verbs/run-probe.js'
import { runResync } from './verbs/run-resync.js'
import { runAlone, runDemote, runPromote } from './verbs/run-role.js'
import { runServe } from './verbs/run-serve.js'
import { runStatus } from './verbs/run-status.js'
import { verbs } from './verbs.js'

const statusesOf = (command: Command | undefined): ErrorStatuses => ({
  wrongUsage: exitStatus('wrongUsage'),
  brokenPipe: exitStatus('brokenPipe'),
  internalError: exitStatus('internalError'),
  of: error => statusOf(error, command),
})

/** The whole command: what is done is said by what it writes and by its exit status. Never fails. */
export async function run(io: Io): Promise<number> {
  let command: Command | undefined
  try {
    command = readCommand(io.args)
    return await runCommand(command, io)
  } catch (error) {
    return exitByError(error, io, 'xl-remus', statusesOf(command))
  }
}

async function runCommand(command: Command, io: Io): Promise<number> {
  switch (command.kind) {
    case 'probe':
      return runProbe(command, io)
    case 'create':
      return runCreate(command)
    case 'pairs':
      return runPairs(command, io)
    case 'serve':
      return runServe(command, io)
    case 'status':
      return runStatus(command, io)
    case 'checkpoint':
      return runCheckpoint(command, io)
    case 'promote':
      return runPromote(command)
    case 'alone':
      return runAlone(command)
    case 'demote':
      return runDemote(command)
    case 'resync':
      return runResync(command, io)
    case 'help':
    case 'version':
    case 'completion':
      runCommonCommand(command, io, { name: 'xl-remus', verbs, options, help: helpText })
      return exitStatus('done')
  }
}

/** What a node says before it has changed anything. */
const refusals: ReadonlySet<ProtocolDErrorCode> = new Set([
  ...(['not-primary', 'not-writer', 'is-primary', 'peer-is-primary', 'not-promotable', 'no-checkpoints'] as const),
  ...(['number-over', 'fenced', 'no-lease'] as const),
  ...(['no-peer', 'busy', 'refused', 'in-use', 'other-pair'] as const),
])

function statusOf(error: unknown, command: Command | undefined): number | undefined {
  // the clients that it disconnects may be gone by then
  const isUnchanged = command?.kind !== 'demote' || !command.force
  if (error instanceof ProtocolDError && refusals.has(error.code) && isUnchanged) return exitStatus('refused')
  const isForeseen = error instanceof XenlightError || error instanceof SystemError || isOfSystem(error)
  return isForeseen ? exitStatus('failed') : undefined
}

/** A file or a socket that the system refuses. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && 'syscall' in error
