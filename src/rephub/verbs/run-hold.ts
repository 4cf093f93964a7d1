import type { Io } from '../../command-line/io.js'
import { change } from '../change.js'
import type { HoldCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Gives the disks of a fail-over to no guest, or to guests again. */
export async function runHold(command: HoldCommand, io: Io): Promise<number> {
  const { kind, group } = command
  const result = await change(command, { group, execute: kind, given: {}, what: kind }, io)
  return 'interrupted' in result ? result.interrupted : exitStatus('done')
}
