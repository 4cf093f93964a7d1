import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import type { AgentGroup } from './agent-group.js'

/** An agent, as it is commanded. */
interface CommandedAgent {
  readonly status: object
  /** @throws ReplicationError not-found */
  group(name: string): AgentGroup
}

type GroupCommand = (group: AgentGroup, given: Readonly<Record<string, unknown>>) => unknown

/** What can be done with a group, by whoever controls the agent; and by the hub, where the agent allows that. */
const groupCommands: Readonly<Record<string, GroupCommand>> = {
  pause: group => group.pause(),
  resume: group => group.resume(),
  stop: group => group.stop(),
  start: group => group.start(),
  checkpoint: (group, given) => group.point(textOf('checkpoint', given, 'name')),
}

/** Does a command with one of the agent's groups. @throws ReplicationError */
export async function runGroupCommand(
  agent: CommandedAgent,
  execute: string,
  given: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const command = Object.hasOwn(groupCommands, execute) ? groupCommands[execute] : undefined
  if (command === undefined) throw unknownCommand(execute)
  return (await command(agent.group(textOf(execute, given, 'group')), given)) ?? {}
}

/** The same, and those that are for the agent's own user. @throws ReplicationError */
export async function runAgentCommand(
  agent: CommandedAgent,
  execute: string,
  given: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  return execute === 'status' ? agent.status : runGroupCommand(agent, execute, given)
}

function textOf(execute: string, given: Readonly<Record<string, unknown>>, name: string): string {
  const value = given[name]
  if (typeof value === 'string' && value.length <= 256) return value
  throw new ReplicationError('protocol', `${printable(execute)} needs the text '${name}'`)
}

const unknownCommand = (execute: string) =>
  new ReplicationError('not-found', `an agent knows no command '${printable(execute.slice(0, 64))}'`)
