import type { Io } from '../../command-line/io.js'
import { ask } from '../../replication-command/ask.js'
import { sayLeft } from '../../replication-command/say-left.js'
import type { GroupCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Pauses, resumes, stops or starts the protection of a group; holds its disks, or releases them. */
export async function runGroup(command: GroupCommand, io: Io): Promise<number> {
  sayLeft(io, 'repagent', await ask('the agent', command, command.kind, { group: command.group }))
  return exitStatus('done')
}
