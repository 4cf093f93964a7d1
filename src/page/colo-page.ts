import type { DiskState } from '../colo/disk-state.js'
import type { PairEvent } from '../colo/pair/pair-event.js'
import { type Happening, Happenings } from './happenings.js'
import { type BlockParts, type LayeredGraph, layeredGraph } from './layered-graph.js'
import { type Level, worst } from './level.js'
import { pageText } from './page-text.js'
import { type PlottedSeries, Series } from './series.js'

/** What was seen of a side, or why it could not be; its guest and its graph are known where it answered. */
export type SideLook = { isRunning: boolean; graph: BlockParts; error?: undefined } | { error: Error }

export type SideName = 'primary' | 'secondary'

export interface ColoSideView {
  level: Level
  text: string
  /** When it answered last, in milliseconds since 1970. */
  seenAt: number | null
  /** As it was then. */
  graph: LayeredGraph | null
}

export interface ColoDiskView {
  name: string
  state: DiskState['kind']
  level: Level
  why: string
  /** In which state it has been since, in milliseconds since 1970. */
  since: number
  /** Of a copy, in bytes. */
  copy: { current: number; total: number; secondsLeft: number | null } | null
}

/** What the page of a pair shows. Times are in milliseconds since 1970, durations in milliseconds. */
export interface ColoView {
  kind: 'colo'
  at: number
  title: string
  level: Level
  summary: string
  epoch: number
  /** The time between two checkpoints that is wanted. */
  every: number
  disks: readonly ColoDiskView[]
  primary: ColoSideView
  secondary: ColoSideView
  checkpoint: { number: number; at: number; pause: number } | null
  counts: { checkpoints: number; cuts: number; retries: number }
  /** How long the guest stood still. */
  pause: PlottedSeries
  /** How old the newest checkpoint became. */
  behind: PlottedSeries
  happened: readonly Happening[]
}

const levels: Readonly<Record<DiskState['kind'], Level>> = {
  ...({ protected: 'good', syncing: 'busy', 'failing-over': 'busy', 'failed-over': 'warn' } as const),
  ...({ degraded: 'bad', unprotected: 'bad', outdated: 'bad', unknown: 'bad' } as const),
  ...({ inconsistent: 'bad', fenced: 'bad' } as const),
}

/** How many disks are shown. */
const disksAtMost = 64

interface KnownSide {
  look: SideLook | undefined
  seenAt: number | null
  isRunning: boolean | undefined
  graph: LayeredGraph | null
}

/** What is kept of a COLO pair for its page: hears the pair's events and looks. Times that it takes are in milliseconds since 1970. */
export class ColoPage {
  readonly #epoch: number
  readonly #every: number
  readonly #disks = new Map<string, { state: DiskState; since: number }>()
  readonly #sides: Record<SideName, KnownSide> = { primary: unseen(), secondary: unseen() }
  readonly #pause = new Series()
  readonly #behind = new Series()
  readonly #happened = new Happenings()
  readonly #counts = { checkpoints: 0, cuts: 0, retries: 0 }
  #checkpoint: ColoView['checkpoint'] = null

  /** @param every between two checkpoints, in milliseconds */
  constructor({ epoch, every }: { epoch: number; every: number }) {
    this.#epoch = epoch
    this.#every = every
  }

  event(event: PairEvent, now: number): void {
    switch (event.type) {
      case 'plan': {
        const what = { none: 'nothing', changes: 'what was changed', full: 'all' }[event.plan.kind]
        this.#happened.add(now, 'busy', `${event.disk}: ${what} is to be copied (${event.plan.why})`)
        break
      }
      case 'state':
        this.#setState(event.disk, event.state, now)
        break
      case 'progress': {
        const { disk, current, total, secondsLeft } = event
        const why = this.#disks.get(disk)?.state.why ?? ''
        this.#setState(disk, { kind: 'syncing', why, current, total, secondsLeft }, now)
        break
      }
      case 'checkpoint': {
        const { number, at } = event.checkpoint
        if (this.#checkpoint !== null) this.#behind.observe(now, Math.max(0, at.getTime() - this.#checkpoint.at))
        this.#checkpoint = { number, at: at.getTime(), pause: event.pause }
        this.#counts.checkpoints++
        this.#pause.observe(now, event.pause)
        break
      }
      case 'filling': {
        const { overlay, file } = event.fill
        this.#happened.add(
          now,
          'warn',
          `${event.disk}: the file system of its ${overlay} overlay is nearly full: ${file}`,
        )
        break
      }
      case 'cut':
        this.#counts.cuts++
        this.#happened.add(now, 'bad', `the secondary was cut off: ${event.why}`)
        break
      case 'retry':
        this.#counts.retries++
        this.#happened.add(now, 'warn', `not protected: ${event.why}; tried again in ${event.after} ms`)
        break
      default:
    }
  }

  /** What a side shows now. */
  seen(side: SideName, look: SideLook, now: number): void {
    const known = this.#sides[side]
    known.look = look
    if (look.error !== undefined) return
    known.seenAt = now
    known.isRunning = look.isRunning
    known.graph = layeredGraph(look.graph)
  }

  /** To be called again and again: the newest checkpoint gets older. */
  tick(now: number): void {
    if (this.#checkpoint !== null) this.#behind.observe(now, Math.max(0, now - this.#checkpoint.at))
  }

  view(now: number): ColoView {
    const disks = [...this.#disks].slice(0, disksAtMost).map(([name, { state, since }]) => diskView(name, state, since))
    const sides = { primary: sideView(this.#sides.primary), secondary: sideView(this.#sides.secondary) }
    const level = worst([...disks, sides.primary, sides.secondary].map(one => one.level))
    const bad = disks.find(disk => disk.level === level && level !== 'good')
    return {
      ...{ kind: 'colo', at: now, title: `COLO, epoch ${this.#epoch}`, level },
      summary: disks.length === 0 ? 'The pair is being looked at' : summaryOf(disks, bad, sides),
      ...{ epoch: this.#epoch, every: this.#every, disks, ...sides },
      ...{ checkpoint: this.#checkpoint, counts: { ...this.#counts } },
      ...{ pause: this.#pause.plotted(now), behind: this.#behind.plotted(now) },
      happened: this.#happened.newestFirst,
    }
  }

  #setState(disk: string, state: DiskState, now: number): void {
    const before = this.#disks.get(disk)
    const isSame = before?.state.kind === state.kind
    this.#disks.set(disk, { state, since: isSame ? before.since : now })
    if (!isSame) this.#happened.add(now, levels[state.kind], `${disk}: ${state.kind} (${state.why})`)
  }
}

const unseen = (): KnownSide => ({ look: undefined, seenAt: null, isRunning: undefined, graph: null })

function diskView(name: string, state: DiskState, since: number): ColoDiskView {
  const { kind, why } = state
  const copy =
    kind === 'syncing' ? { current: state.current, total: state.total, secondsLeft: state.secondsLeft ?? null } : null
  return { name: pageText(name, 100), state: kind, level: levels[kind], why: pageText(why), since, copy }
}

function sideView({ look, seenAt, isRunning, graph }: KnownSide): ColoSideView {
  if (look === undefined) return { level: 'busy', text: 'not looked at yet', seenAt, graph }
  if (look.error !== undefined)
    return { level: 'bad', text: `does not answer: ${pageText(look.error.message)}`, seenAt, graph }
  return { level: 'good', text: isRunning === true ? 'its guest runs' : 'its guest stands still', seenAt, graph }
}

function summaryOf(
  disks: readonly ColoDiskView[],
  bad: ColoDiskView | undefined,
  sides: Readonly<Record<SideName, ColoSideView>>,
): string {
  const all = disks.length === 1 ? 'The disk is' : `All ${disks.length} disks are`
  const silent = (['primary', 'secondary'] as const).find(side => sides[side].level === 'bad')
  if (bad !== undefined) {
    const others = disks.filter(disk => disk.state === bad.state).length - 1
    return `${bad.name}${others === 0 ? '' : ` and ${others} more`}: ${bad.state}`
  }
  return silent === undefined ? `${all} protected` : `The ${silent} does not answer`
}
