import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { watching } from '../../command-line/watching.js'
import type { HubStatus } from '../../replication/node/hub-server.js'
import { ReplicationError } from '../../replication/replication-error.js'
import { answerOf } from '../../replication-command/answer.js'
import { ask } from '../../replication-command/ask.js'
import { unseen } from '../../replication-command/unseen.js'
import type { StatusCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { isStandingBy, StatusLines, statusOf } from '../status-lines.js'

/** Says what the hub has. */
export function runStatus(command: StatusCommand, io: Io): Promise<number> {
  const { watch, json, group } = command
  const text = new StatusLines()
  return watching(io, {
    watch,
    json,
    look: async signal => {
      const answer = await ask('the hub', command, 'hub', {}, signal)
      const all = answerOf<HubStatus>('the hub', answer, 'name', 'agents', 'groups', 'closed')
      const status = group === undefined || isStandingBy(all) ? all : only(all, group)
      const exit = statusOf(status)
      const lines = json ? [jsonLine({ exit, ...status }).trimEnd()] : text.of(status, Date.now())
      return { status: exit, lines }
    },
    unseen: error => unseen(error, json, exitStatus('failed')),
  })
}

/** @throws ReplicationError not-found */
function only(status: HubStatus, name: string): HubStatus {
  const groups = status.groups.filter(group => group.name === name)
  const closed = status.closed.filter(group => group.name === name)
  if (groups.length + closed.length > 0) return { ...status, groups, closed }
  throw new ReplicationError('not-found', `there is no group ${name}`)
}
