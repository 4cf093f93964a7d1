import type { Limits } from '../../link/limits.js'
import { checkEnd } from '../arguments/check-status.js'
import { commandTimeout } from '../command-timeout.js'
import { dropLeftovers } from '../copy/sync-disks.js'
import type { Seen } from '../disk-state.js'
import { endExports } from '../exports/secondary-exports.js'
import { failingDisks, refuseToCut } from '../failing-disk.js'
import { epochOf } from '../graph/node-names.js'
import { resumeAbandoned } from '../guest-control.js'
import { hasDiskToItself } from '../look.js'
import { pairStatus } from '../pair-status.js'
import { detachReplicas } from '../primary.js'
import { type Side, writeRecord } from '../side.js'

export interface EndOptions extends Limits {
  primary: Side
  secondary: Side
  /** The disks, by their exports' names. */
  disks: readonly string[]
  /** Why, for the records. */
  why?: string | undefined
}

/**
 * Ends a protection: records on both sides that the primary goes on alone, and lets it, whichever process began it. A secondary that does not
 * answer keeps its record. Of a primary that does not answer nothing is said: it may be dead, and the secondary is what is left.
 *
 * @throws QmpError where the primary does not answer; ColoError record, and degraded where the primary's own disk fails: the secondary alone
 * has what was acknowledged
 */
export async function endProtection(options: EndOptions): Promise<void> {
  checkEnd(options)
  const { primary, secondary, disks, why = 'the protection was ended', signal, timeout = commandTimeout } = options
  const limits = { signal, timeout }
  const { primary: here, secondary: there } = await pairStatus({ primary, secondary, disks, ...limits })
  if (here.sight === undefined) throw here.error
  const isTakenOver = there.sight !== undefined && hasDiskToItself(there.sight)
  if (!isTakenOver && here.sight.disks.some(({ primary }) => primary.kind === 'replicated'))
    refuseToCut(failingDisks(here.sight))
  await recordAll(secondary, there, { state: 'outdated', why }, limits)
  await recordAll(primary, here, { state: 'alone', why }, limits)
  for (const { disk, primary: state } of here.sight.disks) {
    const epoch = state.kind === 'replicated' ? epochOf(state.replica.nbdNode) : undefined
    if (epoch === undefined) continue
    await detachReplicas(primary.qmp, { disks: [disk], epoch, urgent: primary.urgent, ...limits })
  }
  await dropLeftovers(primary, limits)
  // never beside a secondary that took over
  if (!isTakenOver) await resumeAbandoned(primary.qmp, limits)
  if (there.sight === undefined) return
  if (there.sight.listening !== undefined) await endExports(secondary.qmp, () => limits)
  await resumeAbandoned(secondary.qmp, limits)
}

async function recordAll(
  side: Side,
  { sight }: Seen,
  { state, why }: { state: 'alone' | 'outdated'; why: string },
  limits: Limits,
): Promise<void> {
  for (const { image, record } of sight?.disks ?? [])
    if (image !== undefined && record !== undefined && mayFollow[state].has(record.state))
      await writeRecord(side, image.file, { ...record, state, why }, limits)
}

/** A record says less than before only of its own side's role. */
const mayFollow = {
  alone: new Set<string>(['alone', 'replicated']),
  outdated: new Set<string>(['replicating', 'outdated']),
}
