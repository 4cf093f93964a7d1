import { complain } from '../../command-line/complain.js'
import type { Io } from '../../command-line/io.js'
import { jsonLine } from '../../command-line/json-line.js'
import { printable } from '../../printable.js'
import type { GroupStatus } from '../../replication/hub/group-status.js'
import type { NamedPoint } from '../../replication/hub/journal-seam.js'
import { answersOf } from '../../replication-command/answer.js'
import { ask } from '../../replication-command/ask.js'
import type { PointsCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { timeText } from '../read-at.js'
import { rangeText } from '../status-lines.js'

/** A hub lists no more at a time. */
const pointsAtMost = 10_000

/** Lists what can be started: the ranges in which all moments can, and points in them. */
export async function runPoints(command: PointsCommand, io: Io): Promise<number> {
  const { group, every, from, to, json } = command
  const [status] = answersOf<GroupStatus>('the hub', await ask('the hub', command, 'status', { group }), 'history')
  const answer = await ask('the hub', command, 'points', { group, every, from, to })
  const points = answersOf<NamedPoint>('the hub', answer, 'position', 'time')
  const { history = [] } = status ?? {}
  io.write(1, json ? jsonLine({ group, history, points }) : textOf(history, points))
  if (points.length >= pointsAtMost)
    complain(io, 'rephub', `only the first ${pointsAtMost} are listed: give --from, or a longer --every`)
  return exitStatus('done')
}

function textOf(history: GroupStatus['history'], points: readonly NamedPoint[]): string {
  const ranges = history.map(range => `any moment from ${rangeText(range)}`)
  const lines = points.map(
    ({ position, time, name }) => `${timeText(time)}  #${position}${name === undefined ? '' : `  ${printable(name)}`}`,
  )
  return [...(ranges.length === 0 ? ['no moment can be started yet'] : ranges), ...lines]
    .map(line => `${line}\n`)
    .join('')
}
