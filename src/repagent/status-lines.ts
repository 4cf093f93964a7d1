import { bytesText } from '../command-line/bytes-text.js'
import { durationText } from '../command-line/duration-text.js'
import { printable } from '../printable.js'
import type { VolumeState } from '../replication/agent/volume-state.js'
import type { AgentStatus } from '../replication/node/agent.js'
import { volumeText } from '../replication-command/volume-text.js'
import type { LogLevel } from '../service/log-level.js'
import { exitStatus } from './exit-status.js'

type Group = AgentStatus['groups'][number]

/** What an agent is, for people. */
export function statusLines(status: AgentStatus): string[] {
  const { name, groups } = status
  const none = groups.length === 0 ? ['no groups'] : []
  return [`agent ${printable(name)}, ${hubText(status)}`, ...none, ...groups.flatMap(groupLines)]
}

function hubText({ hub: { address, name, why } }: AgentStatus): string {
  if (name !== undefined) return `connected to the hub ${printable(name)} at ${printable(address)}`
  return `not connected to the hub at ${printable(address)}${why === undefined ? '' : ` (${printable(why)})`}`
}

function groupLines(group: Group): string[] {
  const { name, queued, clients, volumes, disks } = group
  const parts = [pointText(group), clients === 1 ? '1 client' : `${clients} clients`, ...heldText(group)]
  if (queued > 0) parts.push(`${bytesText(queued)} wait for the hub`)
  return [
    `${printable(name)}: ${parts.join('; ')}`,
    ...volumes.flatMap(({ name: volume, state }) => {
      const disk = disks.find(one => one.name === volume)
      return [
        `  ${printable(volume)}: ${volumeText(state)}`,
        ...(disk === undefined ? [] : [`    ${printable('url' in disk ? disk.url : `QEMU's ${disk.node}`)}`]),
      ]
    }),
  ]
}

/** What a cluster says of who has its disks. */
function heldText({ guests, isManaged }: Group): string[] {
  if (guests === 'forced') return ["open to guests by an operator's word"]
  return guests === 'held' && isManaged === true ? ['held: no guest gets its disks'] : []
}

function pointText({ recoveryPoint: { behind, target, isMet } }: Group): string {
  const wanted = `target ${durationText(target)}`
  if (behind === undefined) return `no recovery point, ${wanted}`
  return `recovery point ${durationText(behind)} ago, ${wanted}${isMet ? '' : ': NOT MET'}`
}

/** The same in a line without what only counts. */
export function briefText(status: AgentStatus): string {
  const groups = status.groups.map(group => {
    const parts = [briefGroup(group), ...heldText(group)]
    return `${printable(group.name)}: ${parts.join(', ')}`
  })
  return [hubText(status), ...groups].join('; ')
}

function briefGroup({ volumes, recoveryPoint: { isMet } }: Group): string {
  const states = new Map<string, string[]>()
  for (const { name, state } of volumes) {
    const why = 'why' in state ? ` (${printable(state.why)})` : ''
    const text = `${state.state === 'failed' ? 'FAILED' : state.state}${why}`
    states.set(text, [...(states.get(text) ?? []), printable(name)])
  }
  const behind = isMet || volumes.some(({ state }) => state.state !== 'protected') ? '' : ', behind its target'
  if (states.size === 1) return `${[...states.keys()].join()}${behind}`
  return [...states].map(([text, names]) => `${names.join(', ')} ${text}`).join(', ')
}

const statusOfState: Record<VolumeState['state'], Parameters<typeof exitStatus>[0]> = {
  protected: 'done',
  syncing: 'syncing',
  resyncing: 'syncing',
  paused: 'paused',
  degraded: 'degraded',
  unprotected: 'unprotected',
  failed: 'volumeFailed',
}

function statusNameOf(state: VolumeState): Parameters<typeof exitStatus>[0] {
  if (state.state === 'failed' && state.code === 'fenced') return 'fenced'
  return statusOfState[state.state] ?? 'volumeFailed'
}

/** How much it matters. That another side has taken over is said as a warning: it was wanted. */
export function levelOf({ groups }: AgentStatus): LogLevel {
  const names = groups.flatMap(({ volumes }) => volumes.map(({ state }) => statusNameOf(state)))
  if (names.includes('volumeFailed')) return 'error'
  const isLate = groups.some(({ recoveryPoint }) => !recoveryPoint.isMet)
  return isLate || names.some(name => ['degraded', 'fenced', 'unprotected'].includes(name)) ? 'warning' : 'info'
}

/** The exit status of `status`: the worst volume decides, which has the highest number. */
export function statusOf({ groups }: Pick<AgentStatus, 'groups'>): number {
  const all = groups.flatMap(({ volumes, recoveryPoint }) => [
    recoveryPoint.isMet ? exitStatus('done') : exitStatus('behind'),
    ...volumes.map(({ state }) => exitStatus(statusNameOf(state))),
  ])
  return Math.max(exitStatus('done'), ...all)
}
