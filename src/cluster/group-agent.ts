import { parseTime } from '../amounts.js'
import type { Agent } from './agent.js'
import { groupParameters } from './group-parameters.js'
import type { OcfEnvironment } from './ocf-environment.js'
import { OcfFailure } from './ocf-failure.js'

/** `ocf:xenlight:rephub-group`: disks that an agent sends to a hub. */
export const groupAgent = {
  name: 'rephub-group',
  short: 'A group of disks, by an agent and a hub',
  long: `Says which side of a group of replicated disks guests may have: the disks themselves, beside repagent, or the copies, beside rephub. Both
run as services, with --state-files; this agent starts neither. It is to be cloned, promotable, with promoted-max=1, clone-max=2, notify=true and interleave=true.`,
  parameters: groupParameters,
  nodes: (environment: OcfEnvironment) => Object.values(sidesOf(environment)),
} as const satisfies Agent

/** The nodes of a group. @throws OcfFailure notConfigured */
export function sidesOf({ parameters }: OcfEnvironment): { agent: string; hub: string } {
  const { agent = '', hub = '', group = '' } = parameters
  for (const [name, node] of Object.entries({ agent, hub }))
    if (!/^[\w.-]{1,64}$/.test(node)) throw new OcfFailure('notConfigured', `${name} is no name of a node: ${node}`)
  if (agent === hub) throw new OcfFailure('notConfigured', `agent and hub are the same node: ${agent}`)
  // it becomes a part of files' names
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(group)) throw new OcfFailure('notConfigured', `group is no name: ${group}`)
  return { agent, hub }
}

/** In seconds. @throws OcfFailure notConfigured */
export function mayLoseOf({ parameters }: OcfEnvironment): number | undefined {
  const { may_lose: text } = parameters
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time === undefined)
    throw new OcfFailure('notConfigured', `may_lose is a time, such as 30s or 2m, and not ${text}`)
  return time / 1000
}
