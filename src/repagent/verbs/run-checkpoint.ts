import type { Io } from '../../command-line/io.js'
import type { TakenPoint } from '../../replication/agent/taken-point.js'
import { answerOf } from '../../replication-command/answer.js'
import { ask } from '../../replication-command/ask.js'
import { checkpointText } from '../../replication-command/checkpoint-text.js'
import type { CheckpointCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'

/** Names this moment, once the hub has it. */
export async function runCheckpoint(command: CheckpointCommand, io: Io): Promise<number> {
  const { group, name, json } = command
  const answer = await ask('the agent', command, 'checkpoint', { group, name })
  const point = answerOf<TakenPoint>('the agent', answer, 'name', 'time')
  io.write(1, checkpointText(point, json))
  return exitStatus('done')
}
