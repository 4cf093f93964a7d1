import type { Io } from '../../command-line/io.js'
import { change } from '../change.js'
import type { EndCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Makes a branch the truth, or throws it away. */
export async function runEnd(command: EndCommand, io: Io): Promise<number> {
  const { kind, group, branch } = command
  const result = await change(command, { group, execute: kind, given: { branch }, what: kind }, io)
  return 'interrupted' in result ? result.interrupted : exitStatus('done')
}
