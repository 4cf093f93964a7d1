import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { blockExportDel } from '../qmp/commands/block-export.js'
import { queryXenReplicationStatus, xenColoDoCheckpoint } from '../qmp/commands/xen-replication.js'
import { becomePrimary } from './become-primary.js'
import { becomeSecondary, type OverlayFiles } from './become-secondary.js'
import { ColoError } from './colo-error.js'
import type { Extent } from './copy-changes.js'
import { dropOldChanges, keepChanges } from './dirty-changes.js'
import type { CopyProgress, SecondaryAddress } from './disk-copy.js'
import type { RecordedState } from './disk-record.js'
import { type GuestControl, guestOf, resumeAbandoned } from './guest-control.js'
import { type HeartbeatLimits, usualHeartbeat } from './heartbeat.js'
import { lookAt, type SideSight } from './look.js'
import { changesBitmap, epochOf, exportId, exportName } from './node-names.js'
import { type DiskPlan, planProtection, refuseOldEpoch } from './plan-protection.js'
import { attachReplicas, detachReplicas, type ReplicaDriver } from './primary.js'
import { listen, startReplication } from './secondary.js'
import { addExport, closeDoor, type ListenAddress, openServer } from './secondary-exports.js'
import { type Side, writeRecord } from './side.js'
import { dropLeftovers, syncDisks } from './sync-disks.js'
import type { SyncPlan } from './sync-plan.js'

/** Reads which parts of an export a dirty bitmap marks. */
export type ReadExtents = (
  where: { host: string; port: number; name: string; bitmap: string },
  limits: Limits,
) => Promise<Extent[]>

export interface ProtectOptions {
  primary: Side
  secondary: Side
  /** The disks, by their exports' names: on both sides. */
  disks: readonly string[]
  /** Where the primary finds the secondary. */
  address: SecondaryAddress
  /** Where the secondary listens. */
  listen: ListenAddress
  epoch: number
  driver?: ReplicaDriver | undefined
  /** The disks are equal, says the caller: nothing is copied. */
  equal?: boolean | undefined
  /** Bytes a second for each disk that is copied. */
  speed?: number | undefined
  /** Empty overlays for each disk of a secondary that was a primary until now. */
  overlays?: ReadonlyMap<string, OverlayFiles> | undefined
  /** How the primary's guest is stopped for the switch; QEMU's own stop and cont by default. */
  guest?: GuestControl | undefined
  readExtents: ReadExtents
  onPlan?: ((disk: string, plan: SyncPlan) => void) | undefined
  onProgress?: CopyProgress | undefined
  heartbeat?: HeartbeatLimits | undefined
  signal?: AbortSignal | undefined
  /** For a single command, in milliseconds: 10 s by default. A copy has no limit, as long as it gets on. */
  timeout?: number | undefined
}

/** What a protection came to. */
export interface Protection {
  plans: readonly { disk: string; sync: SyncPlan }[]
  /** The nodes of the images, whose dirty bitmaps are kept. */
  images: { primary: string[]; secondary: string[] }
  /** Whether it was there already. */
  wasThere: boolean
}

/** For a single command, in milliseconds. */
export const commandTimeout = 10_000
/** In more parts than these a disk is copied whole. */
const mostExtents = 20_000

/**
 * Protects disks: makes the secondary's equal to the primary's, in what they are known to differ or in all, while the guest runs, and then
 * sends what it writes to both. The guest stands still for the switch. What was begun by a process that is gone is gone on with.
 *
 * Where it fails, the primary goes on alone, and the secondary's records say what its disks are.
 *
 * @throws ColoError, QmpError
 */
export async function protect(options: ProtectOptions): Promise<Protection> {
  const { primary, secondary, disks, epoch, signal, timeout = commandTimeout } = options
  const limits = { signal, timeout }
  await dropLeftovers(primary.qmp, limits)
  for (const { qmp } of [primary, secondary]) await resumeAbandoned(qmp, limits)
  const look = () => Promise.all([lookAt(primary, disks, limits), lookAt(secondary, disks, limits)])
  let [here, there] = await look()
  refuseOldEpoch(epoch, here, there)
  if (isProtected(here, there, epoch) && !(await hasFailed(primary, limits))) return wasThere(here, there)
  await rebuild(options, here, there, limits)
  ;[here, there] = await look()
  const plans = planProtection(here, there, { epoch, equal: options.equal ?? false })
  await record(primary, plans, 'primary', { epoch, state: 'alone', why: 'a protection begins' }, limits)
  const asked = await askSecondary(options, plans, limits)
  for (const { disk, sync } of asked) options.onPlan?.(disk, sync)
  await recordTargets(secondary, asked, epoch, limits)
  const { address } = options
  await listen(secondary.qmp, { ...options.listen, disks, epoch, ...limits })
  const copies = asked.map(({ disk, quorum, primary: image, sync: plan, extents }) => ({
    disk,
    quorum,
    image,
    plan,
    extents,
  }))
  const heartbeat = options.heartbeat ?? usualHeartbeat
  const { speed, onProgress } = options
  const synced = await syncDisks({
    primary,
    secondary,
    address,
    epoch,
    copies,
    speed,
    onProgress,
    heartbeat,
    signal,
    timeout,
  })
  const guest = await guestOf({ qmp: primary.qmp, guest: options.guest }, limits)
  try {
    await guest.stop(limits)
    await synced.finish(limits)
    await switchOver(options, plans, limits)
  } catch (error) {
    await synced.drop().catch(() => {})
    throw error
  } finally {
    await guest.resume({ timeout })
  }
  for (const [side, images] of imagesOf(options, await look())) await dropOldChanges(side.qmp, images, epoch, limits)
  const [first, second] = await look()
  return { ...wasThere(first!, second!), plans: asked, wasThere: false }
}

/** The guest stands still, and both sides hold the same. */
async function switchOver(options: ProtectOptions, plans: readonly DiskPlan[], limits: Limits): Promise<void> {
  const { primary, secondary, disks, epoch, address, driver } = options
  const [first] = plans
  const sights = await Promise.all([lookAt(primary, disks, limits), lookAt(secondary, disks, limits)])
  for (const [side, images] of imagesOf(options, sights)) await keepChanges(side.qmp, images, epoch, limits)
  if (first?.keepsCheckpoint) await checkpointSecondary(secondary, limits)
  else await startReplication(secondary.qmp, { disks, ...limits })
  const why = 'protected'
  for (const { disk, secondary: image } of sights[1].disks.map((sight, index) => ({
    ...plans[index]!,
    disk: sight.disk,
  }))) {
    await writeRecord(secondary, image.file, { disk, epoch, state: 'replicating', since: epoch, why }, limits)
  }
  await record(primary, plans, 'primary', { epoch, state: 'replicated', why }, limits)
  await attachReplicas(primary.qmp, { disks, epoch, driver, ...address, ...limits })
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

export function overlaysOf({ disks }: SideSight, disk: string): OverlayFiles | undefined {
  const state = disks.find(sight => sight.disk === disk)?.secondary
  if (state === undefined || !('overlays' in state)) return undefined
  const { active, hidden } = state.overlays
  return { active: active.file, hidden: hidden.file }
}

const imagesOf = ({ primary, secondary }: ProtectOptions, [here, there]: readonly SideSight[]) =>
  [
    [primary, imageNodes(here!)],
    [secondary, imageNodes(there!)],
  ] as const

const imageNodes = ({ disks }: SideSight) => disks.flatMap(({ image }) => image ?? [])

function isProtected(here: SideSight, there: SideSight, epoch: number): boolean {
  return (
    there.listening === epoch &&
    here.disks.every(
      ({ primary, record }) =>
        primary.kind === 'replicated' &&
        // a plain NBD client keeps no error: what it missed while nobody listened is unknown
        primary.replica.nodeName !== primary.replica.nbdNode &&
        epochOf(primary.replica.nbdNode) === epoch &&
        record?.state === 'replicated',
    ) &&
    there.disks.every(({ secondary, record }) => secondary.kind === 'replicating' && record?.state === 'replicating')
  )
}

const hasFailed = async ({ qmp }: Side, limits: Limits): Promise<boolean> =>
  (await qmp.run(queryXenReplicationStatus, undefined, limits)).error

const wasThere = (here: SideSight, there: SideSight): Protection => ({
  plans: [],
  images: {
    primary: imageNodes(here).map(({ nodeName }) => nodeName),
    secondary: imageNodes(there).map(({ nodeName }) => nodeName),
  },
  wasThere: true,
})

/** Gives both sides the block graph of their role. */
async function rebuild(options: ProtectOptions, here: SideSight, there: SideSight, limits: Limits): Promise<void> {
  const { primary, secondary, disks, overlays } = options
  const following = there.disks.filter(({ role, secondary }) => role === 'primary' || secondary.kind === 'failed-over')
  if (following.length > 0) {
    // checked here too, before the other side is touched
    if (there.running)
      throw new ColoError('split-brain', 'the guest runs on the side that is to be the secondary: stop it first')
    const wanted = new Map(following.map(({ disk }) => [disk, overlaysFor(disk, overlays)]))
    await detachOld(secondary, there, limits)
    await becomeSecondary(secondary.qmp, { overlays: wanted, ...limits })
  }
  if (here.disks.some(({ role, secondary }) => role === 'secondary' && secondary.kind === 'failed-over'))
    await becomePrimary(primary.qmp, { disks, ...limits })
  await detachOld(primary, here, limits)
}

function overlaysFor(disk: string, overlays: ProtectOptions['overlays']): OverlayFiles {
  const files = overlays?.get(disk)
  if (files !== undefined) return files
  const why = `${printable(disk)} is to be a secondary, and has no overlays: make empty ones, and name them`
  throw new ColoError('wrong-state', why, { disk })
}

/** Takes away the replicas of protections that are over. */
async function detachOld({ qmp, urgent }: Side, sight: SideSight, limits: Limits): Promise<void> {
  for (const { disk, primary } of sight.disks) {
    if (primary.kind !== 'replicated') continue
    const epoch = epochOf(primary.replica.nbdNode)
    if (epoch !== undefined) await detachReplicas(qmp, { disks: [disk], epoch, urgent, ...limits })
  }
}

type AskedPlan = DiskPlan & { extents: readonly Extent[] }

/** Reads what the secondaries wrote, where a plan needs it; where that fails, all is copied. */
async function askSecondary(
  { secondary, address, listen, epoch, readExtents }: ProtectOptions,
  plans: readonly DiskPlan[],
  limits: Limits,
): Promise<AskedPlan[]> {
  const asked: AskedPlan[] = []
  for (const plan of plans) {
    const { sync, disk } = plan
    if (sync.kind !== 'changes' || sync.also === 'nothing') {
      asked.push({ ...plan, extents: [] })
      continue
    }
    const full = (why: string) => ({ ...plan, extents: [], sync: { kind: 'full' as const, why } })
    if (listen.tlsCreds !== undefined) {
      asked.push(full('what the secondary wrote cannot be read over TLS'))
      continue
    }
    const [id, name, bitmap] = [exportId(epoch, disk), exportName(epoch, disk), changesBitmap(sync.since)]
    await closeDoor(secondary.qmp, () => limits)
    await openServer(secondary.qmp, listen, limits)
    try {
      await addExport(secondary.qmp, { id, node: plan.secondary.nodeName, name, bitmaps: [bitmap] }, limits)
      const extents = await readExtents({ host: address.host, port: address.port, name, bitmap }, limits)
      asked.push(
        extents.length > mostExtents
          ? full(`what the secondary wrote is in ${extents.length} parts`)
          : { ...plan, extents },
      )
    } catch (error) {
      limits.signal?.throwIfAborted()
      asked.push(full(`what the secondary wrote cannot be read: ${(error as Error).message}`))
    } finally {
      await secondary.qmp.run(blockExportDel, { id, mode: 'hard' }, limits).catch(() => {})
      await closeDoor(secondary.qmp, () => limits)
    }
  }
  return asked
}

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
    const since = sync.kind === 'changes' && sync.also === 'nothing' ? sync.since : undefined
    await writeRecord(secondary, image.file, { disk, epoch, state, why, since }, limits)
  }
}

async function record(
  side: Side,
  plans: readonly DiskPlan[],
  image: 'primary' | 'secondary',
  { epoch, state, why }: { epoch: number; state: RecordedState; why: string },
  limits: Limits,
): Promise<void> {
  for (const plan of plans) await writeRecord(side, plan[image].file, { disk: plan.disk, epoch, state, why }, limits)
}
