import { setImmediate as turn } from 'node:timers/promises'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { queryXenReplicationStatus, xenColoDoCheckpoint } from '../qmp/commands/xen-replication.js'
import type { Qmp } from '../qmp/qmp.js'
import { QmpError } from '../qmp/qmp-error.js'
import type { ReplicaHealth } from '../qmp/replica-health.js'
import { ColoError } from './colo-error.js'
import { forgetChanges, keepNext } from './copy/dirty-changes.js'
import { nbdNode, replicaNode } from './graph/node-names.js'
import { type GuestControl, guestOf } from './guest-control.js'
import { cutReplicas, type ReplicaDriver } from './primary.js'

/** A side in a checkpoint. */
export interface CheckpointSide {
  qmp: Qmp
  urgent?: Qmp | undefined
  /** The images' nodes, of which it keeps what was written since. */
  images: readonly string[]
  /** QEMU's own stop and cont by default, where its guest runs. */
  guest?: GuestControl | undefined
}

export interface CheckpointOptions extends Limits {
  primary: CheckpointSide
  secondary: CheckpointSide
  /** The disks, by their exports' names. */
  disks: readonly string[]
  epoch: number
  /** The dirty bitmap that both sides' images have of the last checkpoint. */
  changes: string
  driver?: ReplicaDriver | undefined
  /** Whether the primary's own image is known to miss something. */
  isFailing?: boolean | undefined
  /** What the primary's quorums reported since the replicas were attached. */
  health: ReplicaHealth
}

/** A checkpoint that both sides have. */
export interface Checkpoint {
  /** How long the primary's guest stood still, in milliseconds; 0 where it did not run. */
  pause: number
}

/**
 * Takes a checkpoint of all disks, of one moment: the guests are stopped, and go on when both sides are through. The secondary's
 * disks are then what the primary's were; what its own guest wrote since the last one is gone.
 *
 * Where it fails the guests go on; where the time is up or the signal aborted, the replicas have been cut off for that, and miss what
 * the guest writes from then on.
 *
 * @throws ColoError degraded where a replica missed something: the last checkpoint still counts; QmpError
 */
export async function takeCheckpoint({ primary, secondary, ...options }: CheckpointOptions): Promise<Checkpoint> {
  const { disks, epoch, changes, driver = 'replication', isFailing = false, health, ...limits } = options
  await Promise.all([primary, secondary].map(({ qmp, images }) => keepNext(qmp, images, changes, limits)))
  const guests = await Promise.all([primary, secondary].map(side => guestOf(side, limits)))
  const start = performance.now()
  try {
    for (const guest of guests) await guest.stop(limits)
    // all that the primary's guest wrote is through now, on each child or reported
    await refuseIfDegraded(primary.qmp, { disks, epoch, driver, health }, limits)
    await secondary.qmp.run(xenColoDoCheckpoint, undefined, limits)
    if (driver === 'replication') await primary.qmp.run(xenColoDoCheckpoint, undefined, limits)
    // the last: until both have the checkpoint, what was written since the one before counts
    // and it counts on where the primary's own image missed something: that has to be copied back to it some day
    if (!isFailing && primary.images.every(image => health.bad(image) === undefined))
      await Promise.all([primary, secondary].map(({ qmp, images }) => forgetChanges(qmp, images, changes, limits)))
  } catch (error) {
    // the primary may wait for a silent secondary, and its guest with it
    if (isGivenUp(error))
      await cutReplicas(primary.urgent ?? primary.qmp, { disks, epoch }, { timeout: goOnTimeout }).catch(() => {})
    await letGoOn(guests).catch(() => {})
    throw error
  }
  await letGoOn(guests)
  return { pause: guests[0]!.isRunning ? performance.now() - start : 0 }
}

/** How long a guest may take to go on, in milliseconds. */
const goOnTimeout = 5000

const letGoOn = async (guests: readonly GuestControl[]): Promise<void> => {
  await Promise.all(guests.map(guest => guest.resume({ timeout: goOnTimeout })))
}

const isGivenUp = (error: unknown): boolean =>
  error instanceof QmpError && (error.code === 'ETIMEDOUT' || error.code === 'ECANCELED')

/**
 * All that the guest wrote until now has to be on the replicas: what the quorums reported, and what the driver keeps.
 *
 * @throws ColoError degraded
 */
export async function refuseIfDegraded(
  primary: Qmp,
  { disks, epoch, driver, health }: Pick<CheckpointOptions, 'disks' | 'epoch' | 'driver' | 'health'>,
  limits: Limits,
): Promise<void> {
  const { error, description = 'no reason given' } =
    driver === 'nbd'
      ? await primary.run(queryStatus, undefined, limits).then(() => ({ error: false, description: '' }))
      : await primary.run(queryXenReplicationStatus, undefined, limits)
  // without the driver there is no flag, and the reports are all there is
  if (driver === 'nbd') await health.settle()
  // what came before the answer is read after it
  await turn()
  if (health.lost !== undefined) throw health.lost
  for (const disk of disks) {
    const bad = health.bad(replicaNode(epoch, disk)) ?? health.bad(nbdNode(epoch, disk))
    if (bad === undefined) continue
    const why = `its replica missed a ${printable(bad.operation)} (${printable(bad.error)})`
    throw new ColoError('degraded', `no checkpoint: of ${printable(disk)} ${why}`, { disk })
  }
  if (error) throw new ColoError('degraded', `no checkpoint: replication failed (${printable(description)})`)
}
