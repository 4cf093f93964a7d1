import { failingDisks, failingWhy, recordFailing } from '../../colo/failing-disk.js'
import { resumeAbandoned } from '../../colo/guest-control.js'
import type { SideSight } from '../../colo/look.js'
import { pairStatus } from '../../colo/pair-status.js'
import { findProtection } from '../../colo/protect/find-protection.js'
import type { Side } from '../../colo/side.js'
import { takeCheckpoint } from '../../colo/take-checkpoint.js'
import { interruptible } from '../../command-line/interruption.js'
import type { Io } from '../../command-line/io.js'
import type { Limits } from '../../link/limits.js'
import { ReplicaHealth, reportWhy } from '../../qmp/replica-health.js'
import type { PairCommand } from '../command.js'
import { exitStatus } from '../exit-status.js'
import { diskText } from '../output/disk-text.js'
import { reporterFor } from '../output/reporter-for.js'
import { openRecords } from '../records.js'
import { Refusal, withStatus } from '../refusal.js'
import { openSide } from '../sides.js'
import { whichDisks } from '../which-disks.js'

/** One checkpoint of disks that are protected; nothing else is begun. */
export async function runCheckpoint({ ends, json }: PairCommand, io: Io): Promise<number> {
  const reporter = reporterFor(json, io)
  using interruption = interruptible(io)
  const { signal } = interruption
  const limits = { timeout: ends.timeout, signal }
  const records = openRecords(ends.records, io)
  await using primary = await openSide('primary', ends.primary, { ...limits, records: records.primary })
  await using secondary = await openSide('secondary', ends.secondary, { ...limits, records: records.secondary })
  using health = new ReplicaHealth(primary.qmp)
  const disks = await whichDisks(ends.disks, [primary, secondary], limits)
  const status = await pairStatus({ primary, secondary, disks, ...limits })
  const { sight: here } = status.primary
  const { sight: there } = status.secondary
  // where the primary's own disk fails, a checkpoint is what saves what it misses
  const failing = here === undefined ? new Map() : failingDisks(here)
  for (const { disk, state } of status.disks)
    if (state.kind !== 'protected' && !failing.has(disk))
      throw new Refusal('refused', `no checkpoint: ${diskText(disk, state)}`)
  for (const { primary } of here?.disks ?? [])
    if (primary.kind === 'replicated' && primary.replica.nodeName === primary.replica.nbdNode)
      throw new Refusal(
        'refused',
        'no checkpoint: of a protection with --plain-nbd only the process that began it knows what was missed',
      )
  const epoch = there?.listening ?? status.epoch
  try {
    // a start that was killed may have left them standing still
    for (const { qmp } of [primary, secondary]) await resumeAbandoned(qmp, limits)
    const changes = here && there && (await findProtection(primary, here, there, epoch, limits))
    if (changes === undefined)
      throw new Refusal('refused', 'no checkpoint: the disks are not protected any more: start again')
    const { pause } = await takeCheckpoint({
      primary: { ...primary, images: imagesOf(here) },
      secondary: { ...secondary, images: imagesOf(there) },
      disks,
      epoch,
      changes,
      isFailing: failing.size > 0,
      health,
      ...limits,
    })
    const text = `checkpoint of epoch ${epoch}: the guest stood still for ${pause.toFixed(1)} ms`
    reporter.say(text, { event: 'checkpoint', epoch, pause })
    return exitStatus('done')
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status
    throw withStatus(error)
  } finally {
    await recordFailures(primary, here, health, limits)
  }
}

/** What this process alone has heard of the primary's own disks. */
async function recordFailures(
  primary: Side,
  here: SideSight | undefined,
  health: ReplicaHealth,
  limits: Limits,
): Promise<void> {
  for (const { disk, image } of here?.disks ?? []) {
    const bad = image && health.bad(image.nodeName)
    if (bad !== undefined) await recordFailing(primary, disk, failingWhy(reportWhy(bad)), limits)
  }
}

const imagesOf = (sight: { disks: readonly { image: { nodeName: string } | undefined }[] } | undefined): string[] =>
  sight?.disks.flatMap(({ image }) => image?.nodeName ?? []) ?? []
