import type { Io } from '../../command-line/io.js'
import { ask } from '../../replication-command/ask.js'
import { sayLeft } from '../../replication-command/say-left.js'
import type { ProtectionCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Has a group's agent pause, resume, stop or start its protection. */
export async function runProtection(command: ProtectionCommand, io: Io): Promise<number> {
  const { group, kind } = command
  sayLeft(io, 'rephub', await ask('the hub', command, 'agent', { group, execute: kind, arguments: {} }))
  return exitStatus('done')
}
