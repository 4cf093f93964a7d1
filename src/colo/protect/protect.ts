import { randomBytes } from 'node:crypto'
import type { Limits } from '../../link/limits.js'
import { nbdServerStart } from '../../qmp/commands/nbd-server.js'
import { xenColoDoCheckpoint } from '../../qmp/commands/xen-replication.js'
import { QmpError } from '../../qmp/qmp-error.js'
import { ColoError } from '../colo-error.js'
import { commandTimeout } from '../command-timeout.js'
import { dropOldChanges, keepChanges } from '../copy/dirty-changes.js'
import { type AskedPlan, askSecondary } from '../copy/secondary-changes.js'
import { dropLeftovers, syncDisks } from '../copy/sync-disks.js'
import { hasServer } from '../exports/nbd-server.js'
import { failingDisks, refuseToCut } from '../failing-disk.js'
import { changesBitmap } from '../graph/node-names.js'
import { guestOf, resumeAbandoned } from '../guest-control.js'
import { usualHeartbeat } from '../heartbeat.js'
import { hasDiskToItself, lookAt, type SideSight } from '../look.js'
import { attachReplicas } from '../primary.js'
import { rebuildSides } from '../rebuild/rebuild-sides.js'
import type { RecordedState } from '../records/disk-record.js'
import { listen, startReplication } from '../secondary.js'
import { type Side, writeRecord } from '../side.js'
import { endProtection } from './end-protection.js'
import { findProtection } from './find-protection.js'
import { type DiskPlan, planProtection, refuseOldEpoch, refuseOlderPrimary } from './plan-protection.js'
import type { ProtectOptions } from './protect-options.js'

/** What is protected now. */
export interface ProtectedDisks {
  /** The nodes of the disks' images, whose dirty bitmaps are kept. */
  images: { primary: string[]; secondary: string[] }
  /** Their name. */
  changes: string
  /** Disks whose image on the primary misses something, and what: found, of an earlier process. */
  failing: ReadonlyMap<string, string>
}

/**
 * Protects disks: makes the secondary's equal to the primary's, in what they are known to differ or in all, while the guest runs, and then
 * sends what it writes to both. The guest stands still for the switch. What was begun by a process that is gone is gone on with.
 *
 * Where it fails, the primary goes on alone, and the secondary's records say what its disks are.
 *
 * @throws ColoError, QmpError
 */
export async function protect(options: ProtectOptions): Promise<ProtectedDisks> {
  const { primary, secondary, disks, epoch, signal, timeout = commandTimeout } = options
  const limits = { signal, timeout }
  await dropLeftovers(primary, limits)
  let [here, there] = await lookAtBoth(options, limits)
  refuseOldEpoch(epoch, here, there)
  refuseOlderPrimary(here, there)
  await resumeAbandoned(primary.qmp, limits)
  // that of a side which is to follow stays as it is
  if (!hasDiskToItself(there)) await resumeAbandoned(secondary.qmp, limits)
  let changes = await findProtection(primary, here, there, epoch, limits)
  if (changes === undefined) {
    refuseToCut(failingDisks(here))
    await forgetReports(options)
    await rebuildSides(options, here, there, limits)
    ;[here, there] = await lookAtBoth(options, limits)
    const plans = planProtection(here, there, { epoch, equal: options.equal ?? false })
    await recordPrimary(primary, plans, { epoch, state: 'alone', why: 'a protection begins' }, limits)
    const asked = await explainTakenPort(primary, limits, () => askSecondary(options, plans, limits))
    for (const { disk, sync } of asked) options.onPlan?.(disk, sync)
    await recordTargets(secondary, asked, epoch, limits)
    const listening = { ...options.listen, disks, epoch, ...limits }
    await explainTakenPort(primary, limits, () => listen(secondary.qmp, listening))
    changes = changesBitmap(epoch, randomBytes(4).toString('hex'))
    await copyAndSwitch(options, asked, changes, limits)
    ;[here, there] = await lookAtBoth(options, limits)
  }
  for (const [side, images] of imagesOf(options, [here, there])) await dropOldChanges(side.qmp, images, changes, limits)
  const names = (sight: SideSight) => imageNodes(sight).map(({ nodeName }) => nodeName)
  return { images: { primary: names(here), secondary: names(there) }, changes, failing: failingDisks(here) }
}

/**
 * On one machine, a primary that was a secondary before may have the port still. It is not stopped for that: its guest runs, and would stand
 * still with it should anybody be connecting.
 */
async function explainTakenPort<Result>({ qmp }: Side, limits: Limits, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const isRefused = error instanceof QmpError && error.code === 'refused' && error.command === nbdServerStart.name
    if (!isRefused || !(await hasServer(qmp, limits).catch(() => false))) throw error
    const why = `${error.message}; if both sides are on one machine: the primary listens still where it did as a secondary, take another port`
    throw new ColoError('server-in-use', why, { cause: error })
  }
}

const lookAtBoth = ({ primary, secondary, disks }: ProtectOptions, limits: Limits): Promise<[SideSight, SideSight]> =>
  Promise.all([lookAt(primary, disks, limits), lookAt(secondary, disks, limits)])

/** Makes the disks equal, and goes over to replication while the guest stands still. */
async function copyAndSwitch(
  options: ProtectOptions,
  plans: readonly AskedPlan[],
  changes: string,
  limits: Limits,
): Promise<void> {
  const { primary, secondary, disks, address, epoch, speed, onProgress } = options
  const { health, heartbeat = usualHeartbeat, signal, timeout = commandTimeout } = options
  const copies = plans.map(({ sync: plan, primary: image, ...rest }) => ({ ...rest, image, plan }))
  const sides = { primary, secondary, address, epoch }
  const synced = await syncDisks({ ...sides, copies, speed, onProgress, health, heartbeat, signal, timeout })
  const guest = await guestOf({ qmp: primary.qmp, guest: options.guest }, limits)
  try {
    await guest.stop(limits)
    await synced.finish(limits)
    await switchOver(options, plans, changes, limits)
  } catch (error) {
    await synced.drop().catch(() => {})
    // before the guest goes on: the records may say that it is protected
    const why = `protecting failed: ${(error as Error).message}`
    await endProtection({ primary, secondary, disks, why, timeout }).catch(() => {})
    throw error
  } finally {
    await guest.resume({ timeout })
  }
}

/** The guest stands still, and both sides hold the same. */
async function switchOver(
  options: ProtectOptions,
  plans: readonly DiskPlan[],
  changes: string,
  limits: Limits,
): Promise<void> {
  const { primary, secondary, disks, epoch, address, driver } = options
  for (const [side, images] of imagesOf(options, await lookAtBoth(options, limits)))
    await keepChanges(side.qmp, images, changes, limits)
  if (plans[0]?.keepsCheckpoint) await checkpointSecondary(secondary, limits)
  else await startReplication(secondary.qmp, { disks, ...limits })
  const why = 'protected'
  for (const { disk, secondary: image } of plans)
    await writeRecord(secondary, image.file, { disk, epoch, state: 'replicating', since: changes, why }, limits)
  await recordPrimary(primary, plans, { epoch, state: 'replicated', why }, limits)
  await forgetReports(options)
  await attachReplicas(primary.qmp, { disks, epoch, driver, ...address, ...limits })
}

/** Of nodes that have the names of those to come; and where there is no replica, a write that fails is the guest's own to see. */
async function forgetReports({ health }: ProtectOptions): Promise<void> {
  await health.settle()
  health.clear()
}

/** What its own guest wrote since its last checkpoint goes. */
async function checkpointSecondary({ qmp }: Side, limits: Limits): Promise<void> {
  const guest = await guestOf({ qmp }, limits)
  try {
    await guest.stop(limits)
    await qmp.run(xenColoDoCheckpoint, undefined, limits)
  } finally {
    await guest.resume(limits)
  }
}

/** Each side, and its images' nodes. */
const imagesOf = ({ primary, secondary }: ProtectOptions, [here, there]: readonly SideSight[]) =>
  [
    [primary, imageNodes(here!)],
    [secondary, imageNodes(there!)],
  ] as const

const imageNodes = ({ disks }: SideSight) => disks.flatMap(({ image }) => image ?? [])

/** Says of each secondary's disk what it is while it is copied to, before the first byte is. */
async function recordTargets(
  secondary: Side,
  plans: readonly AskedPlan[],
  epoch: number,
  limits: Limits,
): Promise<void> {
  for (const { disk, secondary: image, sync, keepsCheckpoint } of plans) {
    const state: RecordedState = keepsCheckpoint ? 'outdated' : 'syncing'
    const why = sync.kind === 'full' ? `all is copied: ${sync.why}` : `it is made equal: ${sync.why}`
    // until the copy is through, what it differs in is still known
    const since = sync.kind === 'changes' && sync.also === 'nothing' ? sync.bitmap : undefined
    await writeRecord(secondary, image.file, { disk, epoch, state, why, since }, limits)
  }
}

async function recordPrimary(
  primary: Side,
  plans: readonly DiskPlan[],
  { epoch, state, why }: { epoch: number; state: RecordedState; why: string },
  limits: Limits,
): Promise<void> {
  for (const { disk, primary: image } of plans)
    await writeRecord(primary, image.file, { disk, epoch, state, why }, limits)
}
