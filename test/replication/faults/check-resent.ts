import { granuleSize } from '#xenlight/replication/wire/message.js'
import { granuleKey, granuleOf, type Resent } from './journal-trace.js'
import type { WatchedRun } from './watched-run.js'

/** How long an acknowledgement may be on its way, or an agent late with what it does at times, in milliseconds. */
const late = 1000
/** Each two seconds an agent takes those granules from its file that are acknowledged: one that was killed sends them again. On a busy machine it is late. */
const clearedAfter = 5000

/**
 * Holds what was sent to make the replica equal against what the guest had written in the meantime. Bytes are counted as the hub has taken them.
 *
 * @param writes how many the guest has made in the end
 * @returns how much was sent, and how much there was at most, in bytes
 * @throws Error where anything else was sent, or more of it
 */
export function checkResent(
  run: WatchedRun,
  resent: readonly Resent[],
  writes: number,
): { resent: number; dirty: number } {
  let sent = 0
  let dirty = 0
  for (const { had, has = writes, attempts, granules } of resent) {
    const { place } = run
    const bytes = [...granules.values()].reduce((sum, one) => sum + one, 0)
    sent += bytes
    // the bitmaps of a raw image are gone with QEMU: all is sent
    const isWhole = place.options.way !== 'inline' && run.killedAt.some(at => had <= at && at <= has)
    const first = firstUnknown(run, had)
    if (isWhole || first === undefined) {
      dirty += bytes
      continue
    }
    // who starts the guest again writes where it starts from
    const different = new Set([granuleKey(0, 0)])
    for (let number = first; number <= has + 1; number++) different.add(granuleOf(place, number))
    const most = different.size * granuleSize * attempts
    dirty += most
    for (const granule of granules.keys())
      if (!different.has(granule))
        throw new Error(`from ${had} to ${has} writes granule ${granule} was sent, which nobody had written`)
    if (bytes > most) throw new Error(`from ${had} to ${has} writes ${bytes} bytes were sent, of ${most} at most`)
  }
  return { resent: sent, dirty }
}

/**
 * The first write of which an agent need not have known that the hub has it, where the hub had so many. Undefined where that goes back to the
 * first copy: all of that may be sent again.
 */
function firstUnknown(run: WatchedRun, had: number): number | undefined {
  const moment = run.reportedSince(had)
  const isAgentKilled = run.faults.some(({ name }) => name.startsWith('agent'))
  let time = moment - late - (isAgentKilled ? clearedAfter : 0)
  // nothing was acknowledged while it went on
  for (const { from, to } of run.faults.toReversed()) if (from < time && time < to + late) time = from - late
  return time < run.startedAt ? undefined : Math.min(had, run.reportedAt(time)) + 1
}
