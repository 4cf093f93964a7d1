import { setTimeout as delay } from 'node:timers/promises'
import type { HeartbeatLimits } from '../heartbeat.js'
import type { PairStatus } from '../pair-status.js'
import { probeLink } from '../probe-link.js'
import type { Side } from '../side.js'

/** A pair, for who watches it. */
export interface WatchedPair {
  primary: Side
  disks: readonly string[]
  epoch: number
  heartbeat: HeartbeatLimits
  signal: AbortSignal
  /** Whether there is nothing to watch any more. */
  isOver: () => boolean
  /** Disks of which it is known what is wrong. */
  isKnownWrong: (disk: string) => boolean
  /** Whether the secondary alone has what was acknowledged: it is not cut off then. */
  mustNotCut: () => boolean
  /** Looks at both sides. */
  look: () => Promise<PairStatus>
  /** Hears what each look showed. */
  onSeen: (status: PairStatus) => void
  /** Ends the protection, for this reason. */
  fail: (why: string) => Promise<void>
}

/** Beats until there is nothing to watch, and ends the protection when a side falls silent or shows something else. */
export async function watchPair(pair: WatchedPair): Promise<void> {
  const { primary, disks, epoch, heartbeat, signal, isOver } = pair
  const { every, timeout } = heartbeat
  while (!isOver()) {
    await delay(every, undefined, { signal }).catch(() => {})
    if (isOver()) return
    const status = await pair.look().catch(() => undefined)
    if (isOver() || status === undefined) continue
    pair.onSeen(status)
    const failed = failureIn(status, pair.isKnownWrong)
    if (failed !== undefined) {
      await pair.fail(failed)
      continue
    }
    if (pair.mustNotCut()) continue
    const dead = await probeLink(primary, { disks, epoch, timeout })
    if (dead !== undefined && !isOver()) await pair.fail(`the link to the secondary carries nothing: ${dead.message}`)
  }
}

/** What ends the protection; what is known to be wrong does not. */
function failureIn(
  { disks, primary, secondary }: PairStatus,
  isKnownWrong: (disk: string) => boolean,
): string | undefined {
  // its monitor may wait for the secondary: cutting helps then, and does no harm to one that is dead
  if (primary.error !== undefined) return `the primary does not answer: ${primary.error.message}`
  if (secondary.error !== undefined) return `the secondary fell silent: ${secondary.error.message}`
  return disks.find(({ disk, state }) => state.kind !== 'protected' && !isKnownWrong(disk))?.state.why
}
