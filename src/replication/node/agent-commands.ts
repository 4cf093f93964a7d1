import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'
import type { AgentGroup } from './agent-group.js'
import type { ServedGroup } from './served-group.js'

/** An agent, as it is commanded. */
interface CommandedAgent {
  readonly status: object
  /** @throws ReplicationError not-found; wrong-state where QEMU has the disks */
  served(name: string): Pick<ServedGroup, 'hold' | 'open' | 'release'>
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

type GuestCommand = (
  served: ReturnType<CommandedAgent['served']>,
  given: Readonly<Record<string, unknown>>,
) => Promise<void>

/** Who may have the disks is for the agent's own user to say, and for the cluster manager, which is that user. */
const guestCommands: Readonly<Record<string, GuestCommand>> = {
  hold: served => served.hold(),
  open: (served, { promotion, force }) => {
    if (typeof promotion !== 'number' || !Number.isSafeInteger(promotion) || promotion < 0)
      throw new ReplicationError('protocol', "open needs the number 'promotion'")
    return served.open(promotion, force === true)
  },
  release: served => served.release(),
}

/** The same, and those that are for the agent's own user. @throws ReplicationError */
export async function runAgentCommand(
  agent: CommandedAgent,
  execute: string,
  given: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  if (execute === 'status') return agent.status
  const command = Object.hasOwn(guestCommands, execute) ? guestCommands[execute] : undefined
  if (command === undefined) return runGroupCommand(agent, execute, given)
  await command(agent.served(textOf(execute, given, 'group')), given)
  return {}
}

function textOf(execute: string, given: Readonly<Record<string, unknown>>, name: string): string {
  const value = given[name]
  if (typeof value === 'string' && value.length <= 256) return value
  throw new ReplicationError('protocol', `${printable(execute)} needs the text '${name}'`)
}

const unknownCommand = (execute: string) =>
  new ReplicationError('not-found', `an agent knows no command '${printable(execute.slice(0, 64))}'`)
