import type { Io } from '../../command-line/io.js'
import type { ArgumentsCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { startOf } from '../start-of.js'
import { startText } from '../start-text.js'

/** Says how a branch is started. */
export async function runArguments(command: ArgumentsCommand, io: Io): Promise<number> {
  const { group, form } = command
  const { branch, start } = await startOf(command, group, command.branch)
  io.write(1, startText(form, group, branch, start))
  return exitStatus('done')
}
