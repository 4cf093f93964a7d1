import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { watching } from '../../command-line/watching.js'
import type { AgentStatus } from '../../replication/node/agent.js'
import { ReplicationError } from '../../replication/replication-error.js'
import { answerOf } from '../../replication-command/answer.js'
import { ask } from '../../replication-command/ask.js'
import { unseen } from '../../replication-command/unseen.js'
import type { StatusCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { statusLines, statusOf } from '../status-lines.js'

/** Says how all is protected. */
export function runStatus(command: StatusCommand, io: Io): Promise<number> {
  const { watch, json, group } = command
  return watching(io, {
    watch,
    json,
    look: async signal => {
      const answer = await ask('the agent', command, 'status', {}, signal)
      const all = answerOf<AgentStatus>('the agent', answer, 'name', 'hub', 'groups')
      const status = group === undefined ? all : { ...all, groups: [groupOf(all, group)] }
      const exit = statusOf(status)
      return { status: exit, lines: json ? [jsonLine({ exit, ...status }).trimEnd()] : statusLines(status) }
    },
    unseen: error => unseen(error, json, exitStatus('failed')),
  })
}

function groupOf({ groups }: AgentStatus, name: string): AgentStatus['groups'][number] {
  const group = groups.find(one => one.name === name)
  if (group !== undefined) return group
  const known = groups.map(one => one.name).join(', ')
  throw new ReplicationError('not-found', `the agent has no group ${name}; it has ${known || 'none'}`)
}
