import { ask } from '../../replication-command/ask.js'
import type { GroupCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Pauses, resumes, stops or starts the protection of a group. */
export async function runGroup(command: GroupCommand): Promise<number> {
  await ask('the agent', command, command.kind, { group: command.group })
  return exitStatus('done')
}
