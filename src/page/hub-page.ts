import type { GroupState, GroupStatus } from '../replication/hub/group-status.js'
import type { HubStatus } from '../replication/node/hub-server.js'
import { type Happening, Happenings } from './happenings.js'
import { byLevel, type Level, worst } from './level.js'
import { pageText } from './page-text.js'
import { type PlottedSeries, Series } from './series.js'
import { type NamedMoment, type TimeLine, timeLine } from './time-line.js'

/** A group in the list. */
export interface HubGroupView {
  name: string
  state: GroupState | 'closed'
  level: Level
  /** Why; empty where the state says all. */
  why: string
  /** How far a recovery now would go back, in milliseconds; null where that is not known. */
  behind: number | null
  recent: PlottedSeries | null
  branches: number
}

export interface HubBranchView {
  name: string
  kind: 'test' | 'fail-over'
  state: string
  /** Its moment, in microseconds since 1970. */
  time: number
  made: number
  by: string
  written: number
  lost: string | null
}

/** The group that is looked at. Times are in microseconds since 1970 but for those of series, sizes in bytes. */
export interface HubGroupDetail extends HubGroupView {
  agent: string | null
  isAttached: boolean
  heard: number | null
  since: number | null
  epoch: number
  term: number
  takeOver: string | null
  newest: number | null
  lag: number
  busy: { what: string; done: number; all: number; waits: number | null } | null
  volumes: readonly { name: string; size: number; state: string }[]
  used: GroupStatus['used']
  limits: { journalBytes: number; history: number; imageBytes: number | null; overlayBytes: number; branches: number }
  series: PlottedSeries | null
  line: TimeLine
  branchList: readonly HubBranchView[]
}

/** What the page of a hub shows. */
export interface HubView {
  kind: 'hub'
  /** In milliseconds since 1970. */
  at: number
  title: string
  level: Level
  summary: string
  agents: readonly string[]
  /** How many groups are in each state. */
  counts: Readonly<Record<string, number>>
  /** What matters most first. */
  groups: readonly HubGroupView[]
  /** How many groups are not in the list. */
  more: number
  /** How far a recovery may go back before it is marked, in milliseconds. */
  target: number
  selected: HubGroupDetail | null
  happened: readonly Happening[]
}

export interface HubLook {
  status: HubStatus
  /** In milliseconds since 1970. */
  now: number
  /** The name of the group that is looked at; that which matters most without it. */
  group?: string | undefined
  /** The points of a group that have names. */
  pointsOf: (group: string) => readonly NamedMoment[]
}

const levels: Readonly<Record<GroupState, Level>> = {
  ...({ protected: 'good', syncing: 'busy', empty: 'warn', disconnected: 'bad', full: 'bad', failed: 'bad' } as const),
  ...({ 'failing-over': 'busy', 'failed-over': 'warn', 'rolling-back': 'busy', committed: 'warn' } as const),
  ...({ returning: 'busy' } as const),
}

/** How many groups are listed, and of how many it is kept how far they were behind. */
const listedAtMost = 200
const keptAtMost = 500
const agentsAtMost = 50
const volumesAtMost = 64
const branchesAtMost = 64
/** How many steps of a group the list shows. */
const recentSteps = 60

/** What is kept of a hub's groups for its page. */
export class HubPage {
  readonly #target: number
  readonly #behind = new Map<string, Series>()
  readonly #states = new Map<string, GroupState>()
  readonly #happened = new Happenings()

  /** @param target how far a recovery may go back before it is marked, in milliseconds */
  constructor({ target }: { target: number }) {
    this.#target = target
  }

  /** To be called again and again: sees how far each group is behind. @param now in milliseconds since 1970 */
  sample({ groups }: HubStatus, now: number): void {
    const kept = groups.slice(0, keptAtMost)
    const names = new Set(kept.map(({ name }) => name))
    for (const name of this.#behind.keys()) if (!names.has(name)) this.#behind.delete(name)
    for (const name of this.#states.keys()) if (!names.has(name)) this.#states.delete(name)
    for (const group of kept) {
      const series = this.#behind.get(group.name) ?? new Series()
      this.#behind.set(group.name, series)
      const behind = behindOf(group, now)
      if (behind !== null) series.observe(now, behind)
      const before = this.#states.get(group.name)
      this.#states.set(group.name, group.state)
      if (before === undefined || before === group.state) continue
      const why = whyOf(group)
      this.#happened.add(now, levelOf(group), `${group.name}: ${group.state}${why === '' ? '' : ` (${why})`}`)
    }
  }

  view({ status, now, group, pointsOf }: HubLook): HubView {
    const { groups, closed, agents, problem } = status
    const all = [
      ...closed.map(closedView),
      ...groups.map(one => ({ one, level: this.#level(one, now), name: one.name })),
    ].toSorted(byLevel)
    const counts: Record<string, number> = {}
    for (const one of all) {
      const state = 'one' in one ? one.one.state : one.state
      counts[state] = (counts[state] ?? 0) + 1
    }
    const level = worst([...(problem === undefined ? [] : ['bad' as const]), ...all.map(one => one.level)])
    const chosen = all.find(one => one.name === group) ?? all.find(one => 'one' in one)
    return {
      ...{ kind: 'hub', at: now, title: `hub ${pageText(status.name, 100)}`, level },
      summary:
        standingBy(status) ??
        (problem === undefined
          ? summaryOf(all.length, all.filter(one => one.level === level).length, level)
          : pageText(problem)),
      agents: agents.slice(0, agentsAtMost).map(agent => pageText(agent, 100)),
      counts,
      groups: all.slice(0, listedAtMost).map(one => ('one' in one ? this.#group(one.one, now) : one)),
      more: Math.max(0, all.length - listedAtMost),
      target: this.#target,
      selected:
        chosen === undefined || !('one' in chosen) ? null : this.#detail(chosen.one, status.agents, now, pointsOf),
      happened: this.#happened.newestFirst,
    }
  }

  /** One that is protected, and further behind than it may be, is not well. */
  #level(group: GroupStatus, now: number): Level {
    const level = levelOf(group)
    return level === 'good' && (behindOf(group, now) ?? 0) > this.#target ? 'warn' : level
  }

  #group(group: GroupStatus, now: number): HubGroupView {
    return {
      ...{ name: pageText(group.name, 100), state: group.state, level: this.#level(group, now), why: whyOf(group) },
      behind: behindOf(group, now),
      recent: this.#behind.get(group.name)?.plotted(now, recentSteps) ?? null,
      branches: group.branches.length,
    }
  }

  #detail(group: GroupStatus, agents: readonly string[], now: number, pointsOf: HubLook['pointsOf']): HubGroupDetail {
    const { agent, volumes, reported, branches, busy, takeOver, newest, used, limits } = group
    // what one said that has gone may not be so any more
    const isHeard = agent !== undefined && agents.includes(agent)
    const stateOf = (name: string) => (isHeard ? reported.find(one => one.volume === name)?.state : undefined)
    return {
      ...this.#group(group, now),
      ...{ agent: agent === undefined ? null : pageText(agent, 100), isAttached: group.isAttached },
      ...{ heard: group.heard ?? null, since: group.since ?? null, epoch: group.epoch, term: group.term },
      takeOver: takeOver === undefined ? null : `${takeOver.kind} by ${pageText(takeOver.by, 100)}`,
      ...{ newest: newest?.time ?? null, lag: group.lag },
      busy:
        busy === undefined
          ? null
          : { ...{ what: pageText(busy.what, 60), done: busy.done, all: busy.all }, waits: busy.waits?.left ?? null },
      volumes: volumes
        .slice(0, volumesAtMost)
        .map(({ name, size }) => ({ name: pageText(name, 100), size, state: pageText(stateOf(name) ?? '', 60) })),
      used,
      limits: {
        ...{ journalBytes: limits.journalBytes, history: limits.history, overlayBytes: limits.overlayBytes },
        ...{
          imageBytes: limits.imageBytes >= Number.MAX_SAFE_INTEGER ? null : limits.imageBytes,
          branches: limits.branches,
        },
      },
      series: this.#behind.get(group.name)?.plotted(now) ?? null,
      line: timeLine(group.history, pointsOf(group.name)),
      branchList: branches.slice(0, branchesAtMost).map(branch => ({
        ...{ name: pageText(branch.name, 100), kind: branch.kind, state: branch.state, time: branch.pointTime },
        ...{ made: branch.made, by: pageText(branch.by, 100), written: branch.written },
        lost: branch.lost === undefined ? null : pageText(branch.lost),
      })),
    }
  }
}

const levelOf = ({ state, problem }: GroupStatus): Level => (problem === undefined ? levels[state] : 'bad')

function whyOf({ state, problem, unsettled, isAttached, agent }: GroupStatus): string {
  if (problem !== undefined) return pageText(problem)
  if (unsettled !== undefined) return `not a moment of its disks now: ${pageText(unsettled)}`
  if (state === 'empty') return 'no agent has ever sent it'
  if (!isAttached && state === 'disconnected')
    return agent === undefined ? 'no agent sends it' : `${pageText(agent, 100)} does not send it`
  return ''
}

/** While it is protected the newest moment is the present, be it of a write long ago, as long as its agent is heard. */
function behindOf({ state, heard, newest }: GroupStatus, now: number): number | null {
  const isCurrent = state === 'protected'
  if (!isCurrent && state !== 'disconnected' && state !== 'full' && state !== 'failed' && state !== 'syncing')
    return null
  const since = isCurrent ? heard : newest?.time
  return since === undefined ? null : Math.max(0, Math.round(now - since / 1000))
}

const closedView = ({ name, code, message }: HubStatus['closed'][number]): HubGroupView => ({
  ...{
    name: pageText(name, 100),
    state: 'closed',
    level: 'bad',
    why: `cannot be opened (${code}): ${pageText(message)}`,
  },
  ...{ behind: null, recent: null, branches: 0 },
})

/** A hub that has not its lease serves nothing. */
function standingBy({ lease, problem }: HubStatus): string | undefined {
  if (lease === undefined || lease.state === 'held' || problem !== undefined) return undefined
  const { name, holder, state } = lease
  if (state === 'opening') return `Opening its groups, with the lease ${pageText(name, 100)}`
  return `Standing by for the lease ${pageText(name, 100)}, held by ${holder === undefined ? 'nobody' : pageText(holder, 100)}`
}

function summaryOf(all: number, so: number, level: Level): string {
  if (all === 0) return 'No groups yet'
  const groups = (count: number) => (count === 1 ? '1 group' : `${count} groups`)
  switch (level) {
    case 'good':
      return all === 1 ? 'The group is protected' : `All ${all} groups are protected`
    case 'busy':
      return `${groups(so)} of ${all} on the way`
    case 'warn':
      return `${groups(so)} of ${all} ${so === 1 ? 'wants' : 'want'} a look`
    case 'bad':
      return `${groups(so)} of ${all} ${so === 1 ? 'is' : 'are'} not protected`
  }
}
