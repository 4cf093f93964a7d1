import type { Limits } from '../link/limits.js'
import { queryXenReplicationStatus } from '../qmp/commands/xen-replication.js'
import { checkStatus } from './arguments/check-status.js'
import { commandTimeout } from './command-timeout.js'
import { type DiskState, diskState, type KnownBesides, type Seen } from './disk-state.js'
import { type DiskSight, lookAt } from './look.js'
import { type FreeSpace, type OverlayFill, overlayFill } from './overlay-fill.js'
import type { Side } from './side.js'
import { promotionProblem } from './take-over/fail-over.js'

/** What is known of a pair at one moment. */
export interface PairStatus {
  disks: readonly DiskStatus[]
  /** Whether each side's guest runs; undefined where it does not answer. */
  running: { primary: boolean | undefined; secondary: boolean | undefined }
  /** Both guests run, and each has its disk to itself. */
  splitBrain: boolean
  /** The highest epoch that was found; 0 for none. */
  epoch: number
  /** Both sides as they were seen. */
  primary: Seen
  secondary: Seen
}

export interface DiskStatus {
  disk: string
  state: DiskState
  /** Whether the secondary may take over, or why not. */
  promotable: { yes: true } | { yes: false; why: string; canBeForced: boolean }
  overlays: readonly OverlayFill[]
}

export interface StatusOptions extends Limits {
  /** Or why it cannot be reached. */
  primary?: Side | { error: Error } | undefined
  secondary?: Side | { error: Error } | undefined
  disks: readonly string[]
  freeSpace?: FreeSpace | undefined
  /** What a process that watches the pair knows besides, by disk. */
  known?: ((disk: string) => KnownBesides) | undefined
}

/** Looks at both sides of a pair, as far as they answer; changes nothing and does not fail. */
export async function pairStatus(options: StatusOptions): Promise<PairStatus> {
  checkStatus(options)
  const { disks, known, freeSpace, signal, timeout = commandTimeout } = options
  const limits = { signal, timeout }
  const [primary, secondary] = await Promise.all([
    see(options.primary, disks, limits),
    see(options.secondary, disks, limits),
  ])
  const replicationFailed = await hasFailed(options.primary, primary, limits)
  const statuses = disks.map(async (disk, index): Promise<DiskStatus> => {
    const there = secondary.sight?.disks[index]
    return {
      disk,
      state: diskState(primary, secondary, index, { replicationFailed, ...known?.(disk) }),
      promotable: promotableOf(there, primary.sight?.disks[index]),
      overlays: await fills(there, freeSpace),
    }
  })
  const running = { primary: primary.sight?.running, secondary: secondary.sight?.running }
  const apart = disks.some((_, index) => isApart(secondary.sight?.disks[index]))
  return {
    disks: await Promise.all(statuses),
    running,
    splitBrain: running.primary === true && running.secondary === true && apart,
    epoch: Math.max(primary.sight?.epoch ?? 0, secondary.sight?.epoch ?? 0),
    primary,
    secondary,
  }
}

async function see(side: StatusOptions['primary'], disks: readonly string[], limits: Limits): Promise<Seen> {
  if (side === undefined) return { error: new Error('it is not known how to reach it') }
  if ('error' in side) return side
  try {
    return { sight: await lookAt(side, disks, limits) }
  } catch (error) {
    return { error: error as Error }
  }
}

/** A QEMU without COLO's commands says nothing of it. */
const hasFailed = (side: StatusOptions['primary'], { sight }: Seen, limits: Limits): Promise<boolean> =>
  side === undefined || 'error' in side || sight === undefined
    ? Promise.resolve(false)
    : side.qmp.run(queryXenReplicationStatus, undefined, limits).then(
        ({ error }) => error,
        () => false,
      )

const isApart = (there: DiskSight | undefined): boolean =>
  there?.role === 'primary' || there?.secondary.kind === 'failed-over'

function promotableOf(there: DiskSight | undefined, here: DiskSight | undefined): DiskStatus['promotable'] {
  if (there === undefined) return { yes: false, why: 'the secondary does not answer', canBeForced: false }
  const problem = promotionProblem(there, there.record?.epoch ?? 0)
  if (problem !== undefined) return { yes: false, ...problem }
  if (here?.primary.kind === 'alone' && there.secondary.kind === 'replicating')
    return { yes: false, why: 'is outdated: the primary goes on without it', canBeForced: true }
  return { yes: true }
}

async function fills(there: DiskSight | undefined, freeSpace: FreeSpace | undefined): Promise<OverlayFill[]> {
  const state = there?.secondary
  if (state === undefined || !('overlays' in state)) return []
  const { active, hidden } = state.overlays
  return Promise.all([overlayFill('active', active, freeSpace), overlayFill('hidden', hidden, freeSpace)])
}
