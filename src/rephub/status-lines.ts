import { bytesText } from '../command-line/bytes-text.js'
import { durationText } from '../command-line/duration-text.js'
import { progressText } from '../command-line/progress-text.js'
import { printable } from '../printable.js'
import type { BranchStatus, Busy, GroupState, GroupStatus } from '../replication/hub/group-status.js'
import type { HubStatus } from '../replication/node/hub-server.js'
import { momentText } from '../replication-command/moment-text.js'
import { volumeText } from '../replication-command/volume-text.js'
import type { LogLevel } from '../service/log-level.js'
import { exitStatus } from './exit-status.js'
import { Pace } from './pace.js'
import { timeText } from './read-at.js'

/** Writes again and again what a hub is, for people. */
export class StatusLines {
  readonly #paces = new Map<string, Pace>()

  /** @param now in milliseconds since 1970 */
  of(status: HubStatus, now: number): string[] {
    const { groups, closed, problem } = status
    if (isStandingBy(status)) return [standingText(status)]
    const lines = [hubText(status)]
    if (problem !== undefined) lines.push(`PROBLEM: ${printable(problem)}`)
    if (groups.length + closed.length === 0) lines.push('no groups')
    for (const { name, message } of closed) lines.push(closedText(name, message))
    for (const group of groups) lines.push(...this.#group(group, status.agents, now))
    return lines
  }

  #group(group: GroupStatus, agents: readonly string[], now: number): string[] {
    const { name, agent, volumes, reported, branches } = group
    // what one said that has gone may not be so any more
    const isHeard = agent !== undefined && agents.includes(agent)
    return [
      `${printable(name)}: ${stateText(group, now)}`,
      ...this.#busy(group, now),
      `  ${newestText(group, now)}`,
      `  ${historyText(group)}`,
      ...volumes.map(volume => {
        const said = isHeard ? reported.find(one => one.volume === volume.name) : undefined
        // it is told of changes only, and those of a number are none
        const state = said === undefined ? '' : `: ${volumeText({ ...said, lag: undefined })}`
        return `  ${printable(volume.name)}, ${bytesText(volume.size)}${state}`
      }),
      ...branches.map(branch => `  ${branchLine(branch)}`),
    ]
  }

  #busy({ name, busy }: GroupStatus, now: number): string[] {
    if (busy === undefined) {
      this.#paces.delete(name)
      return []
    }
    const pace = this.#paces.get(name) ?? new Pace()
    this.#paces.set(name, pace)
    return [`  ${busyText(busy, pace, now)}`]
  }
}

/** `fail-back [#####     ] 50% 32 MiB of 64 MiB, 3 s left`, or what it waits for */
export function busyText({ what, done, all, waits }: Busy, pace: Pace, now: number): string {
  if (waits !== undefined)
    return `${bytesText(waits.left)} left: shut the recovery guest down to end the ${printable(what)}`
  if (all === 0) return `${printable(what)} has begun`
  return `${printable(what)} ${progressText({ current: done, total: all, secondsLeft: pace.secondsLeft(done, all, now) })}`
}

type Standing = Pick<HubStatus, 'name' | 'problem' | 'lease'>

/** Whether it does not serve yet: it waits for its lease, or opens its groups. */
export const isStandingBy = ({ problem, lease }: Pick<HubStatus, 'problem' | 'lease'>): boolean =>
  problem === undefined && (lease?.state === 'standing-by' || lease?.state === 'opening')

/** That a hub waits for its lease, and who has it; or that it has it, and opens its groups. */
export function standingText({ name, lease }: Standing): string {
  const { name: wanted = '', holder, problem, state } = lease ?? {}
  if (state === 'opening') return `hub ${printable(name)}: opening its groups, with the lease ${printable(wanted)}`
  const who = holder === undefined ? 'held by nobody' : `held by ${printable(holder)}`
  const known = problem === undefined ? who : `nobody knows who has it: ${printable(problem)}`
  return `hub ${printable(name)}: standing by for the lease ${printable(wanted)}, ${known}`
}

function leaseText({ name, epoch }: NonNullable<HubStatus['lease']>): string {
  return `lease ${printable(name)} of epoch ${epoch}`
}

function hubText({ name, listens, nbd, agents, lease }: HubStatus): string {
  const parts = [
    `hub ${printable(name)}`,
    ...(lease === undefined ? [] : [leaseText(lease)]),
    `agents at ${addressText(listens)}`,
    `NBD at ${addressText(nbd)}`,
    agents.length === 0 ? 'no agent is connected' : `connected: ${agents.map(printable).join(', ')}`,
  ]
  return parts.join('; ')
}

function addressText(address: HubStatus['nbd']): string {
  if (address === undefined) return 'no address'
  return printable('path' in address ? address.path : `${address.host ?? '127.0.0.1'}:${address.port}`)
}

const closedText = (name: string, message: string): string =>
  `${printable(name)}: CANNOT BE OPENED (${printable(message)})`

function stateText(
  { state, since, agent, heard, epoch, problem, unsettled, takeOver, isHeld }: GroupStatus,
  now: number,
): string {
  const from = agent === undefined ? '' : `, sent by ${printable(agent)}`
  const last = heard === undefined ? '' : `, heard ${durationText(secondsSince(heard, now))} ago`
  const parts = [
    `${words[state] ?? printable(state)}${since === undefined ? '' : ` since ${momentText(since)}`}${from}${last}`,
    `epoch ${epoch}${takeOver === undefined ? '' : ` (${takeOver.kind} by ${printable(takeOver.by)})`}`,
  ]
  if (isHeld === true) parts.push(held)
  if (problem !== undefined) parts.push(`PROBLEM: ${printable(problem)}`)
  if (unsettled !== undefined) parts.push(`not a moment of its disks now (${printable(unsettled)})`)
  return parts.join('; ')
}

const held = 'held: no guest gets its disks'

const words: Partial<Record<GroupState, string>> = { full: 'FULL', failed: 'FAILED' }

function newestText({ newest, state, lag }: GroupStatus, now: number): string {
  if (newest === undefined) return 'no moment can be started yet'
  // while it is protected, the newest moment is the present, be it of a write long ago
  const age = state === 'protected' ? '' : `, ${durationText(secondsSince(newest.time, now))} ago`
  const onTheWay = lag === 0 ? '' : `; ${bytesText(lag)} being written`
  return `newest moment ${timeText(newest.time)} (#${newest.position})${age}${onTheWay}`
}

function historyText({ history, used, limits }: GroupStatus): string {
  const from = history[0]?.from
  const to = history.at(-1)?.to
  const parts = history.length > 1 ? ` in ${history.length} parts` : ''
  const range = from === undefined || to === undefined ? 'no history' : `history ${rangeText({ from, to })}${parts}`
  const room = [
    `journal ${bytesText(used.journalBytes)} of ${bytesText(limits.journalBytes)}`,
    `at most ${durationText(limits.history / 1_000_000)}`,
    `images ${bytesText(used.imageBytes)}${limits.imageBytes < Number.MAX_SAFE_INTEGER ? ` of ${bytesText(limits.imageBytes)}` : ''}`,
    `branches ${bytesText(used.overlayBytes)} of ${bytesText(limits.overlayBytes)}`,
  ]
  return `${range}; ${room.join(', ')}`
}

/** A range of moments. */
export const rangeText = ({ from, to }: GroupStatus['history'][number]): string =>
  `${timeText(from.time)} (#${from.position}) to ${timeText(to.time)} (#${to.position})`

function branchLine({ name, kind, state, pointTime, position, written, lost, by }: BranchStatus): string {
  const going = state === 'ready' ? '' : `, ${state}`
  const gone = lost === undefined ? '' : `, LOST (${printable(lost)})`
  const of = `of ${timeText(pointTime)} (#${position})`
  return `${kind} ${printable(name)} ${of} by ${printable(by)}, ${bytesText(written)} written${going}${gone}`
}

/** Two clocks may differ. */
const secondsSince = (time: number, now: number): number => Math.max(0, now / 1000 - time / 1_000_000)

/** The same in a line without what only counts. */
export function briefText({ groups, closed, problem, name, lease }: HubStatus): string {
  if (isStandingBy({ problem, lease })) return standingText({ name, problem, lease })
  if (problem !== undefined) return `PROBLEM: ${printable(problem)}`
  const all = [
    ...closed.map(one => closedText(one.name, one.message)),
    ...groups.map(group => `${printable(group.name)}: ${briefGroup(group)}`),
  ]
  return `hub ${printable(name)}: ${all.length === 0 ? 'no groups' : all.join('; ')}`
}

function briefGroup({ state, agent, problem, branches, busy, isHeld }: GroupStatus): string {
  const parts = [words[state] ?? printable(state)]
  if (agent !== undefined) parts.push(`sent by ${printable(agent)}`)
  if (branches.length > 0) parts.push(`branches ${branches.map(({ name }) => printable(name)).join(' ')}`)
  if (isHeld === true) parts.push(held)
  if (busy !== undefined) parts.push(`${printable(busy.what)} is under way`)
  if (problem !== undefined) parts.push(`PROBLEM: ${printable(problem)}`)
  return parts.join(', ')
}

const statusOfState: Record<GroupState, Parameters<typeof exitStatus>[0]> = {
  protected: 'done',
  syncing: 'syncing',
  disconnected: 'disconnected',
  empty: 'empty',
  'failing-over': 'failedOver',
  'failed-over': 'failedOver',
  'rolling-back': 'failedOver',
  committed: 'failedOver',
  returning: 'failedOver',
  full: 'full',
  failed: 'groupFailed',
}

/** How much it matters. */
export function levelOf({ groups, closed, problem }: HubStatus): LogLevel {
  const all = groups.map(group => (group.problem === undefined ? group.state : 'failed'))
  if (closed.length > 0 || problem !== undefined || all.includes('failed') || all.includes('full')) return 'error'
  return all.includes('disconnected') ? 'warning' : 'info'
}

/** The exit status of `status`: the worst group decides, which has the highest number. */
export function statusOf(status: Pick<HubStatus, 'groups' | 'closed' | 'problem' | 'lease'>): number {
  const { groups, closed, problem } = status
  if (isStandingBy(status)) return exitStatus('standingBy')
  const all = groups.map(({ state, problem: own }) =>
    exitStatus(own !== undefined && state !== 'full' ? 'groupFailed' : (statusOfState[state] ?? 'groupFailed')),
  )
  if (closed.length > 0) all.push(exitStatus('groupFailed'))
  if (problem !== undefined) all.push(exitStatus('takenOver'))
  return Math.max(exitStatus('done'), ...all)
}
