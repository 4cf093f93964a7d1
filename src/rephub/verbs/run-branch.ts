import { complain } from '../../command-line/complain.js'
import type { Io } from '../../command-line/io.js'
import type { BranchRecord } from '../../replication/hub/group-record.js'
import { answerOf } from '../../replication-command/answer.js'
import { kindOfError } from '../../replication-command/error-status.js'
import { change } from '../change.js'
import type { BranchCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { startOf } from '../start-of.js'
import { branchText, startText } from '../start-text.js'

/** Makes a branch, for a test or to take over, and says how it is started. */
export async function runBranch(command: BranchCommand, io: Io): Promise<number> {
  const { kind, group, branch, at, form } = command
  const [execute, what] = kind === 'test' ? (['test', 'test'] as const) : (['fail-over', 'fail-over'] as const)
  const result = await change(command, { group, execute, given: { branch, at }, what }, io)
  if ('interrupted' in result) return result.interrupted
  const made = answerOf<BranchRecord>('the hub', result.answer, 'name', 'position', 'pointTime')
  try {
    const { start } = await startOf(command, group, made.name)
    io.write(1, startText(form, group, made, start))
  } catch (error) {
    if (kindOfError(error) === undefined) throw error
    complain(io, 'rephub', `there is the ${branchText(made)}, but: ${(error as Error).message}`)
    return exitStatus('failed')
  }
  return exitStatus('done')
}
