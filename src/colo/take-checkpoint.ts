import { setImmediate as turn } from 'node:timers/promises'
import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { cont, stop } from '../qmp/commands/stop-cont.js'
import { queryXenReplicationStatus, xenColoDoCheckpoint } from '../qmp/commands/xen-replication.js'
import type { Qmp } from '../qmp/qmp.js'
import { QmpError } from '../qmp/qmp-error.js'
import { ColoError } from './colo-error.js'
import { cutReplicas, replicaName } from './primary.js'
import type { ReplicaHealth } from './replica-health.js'

export interface CheckpointOptions extends Limits {
  primary: Qmp
  secondary: Qmp
  /** The disks, by their exports' names. */
  disks: readonly string[]
  epoch: number
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
  const { disks, epoch, health, ...limits } = options
  const [here, there] = await Promise.all([primary, secondary].map(qmp => qmp.run(queryStatus, undefined, limits)))
  const start = performance.now()
  const stopped: Qmp[] = []
  try {
    for (const [qmp, status] of [[primary, here!] as const, [secondary, there!] as const]) {
      if (!status.running) continue
      stopped.push(qmp)
      await qmp.run(stop, undefined, limits)
    }
    // all that the primary's guest wrote is through now, on each child or reported
    await refuseIfDegraded(primary, options, limits)
    await secondary.run(xenColoDoCheckpoint, undefined, limits)
    await primary.run(xenColoDoCheckpoint, undefined, limits)
  } catch (error) {
    // the primary may wait for a silent secondary, and its guest with it
    if (isGivenUp(error)) await cutReplicas(primary, { disks, epoch }, { timeout: goOnTimeout }).catch(() => {})
    await letGoOn(stopped).catch(() => {})
    throw error
  }
  await letGoOn(stopped)
  return { pause: here!.running ? performance.now() - start : 0 }
}

/** How long a guest may take to go on, in milliseconds. */
const goOnTimeout = 5000

const letGoOn = async (stopped: readonly Qmp[]): Promise<void> => {
  await Promise.all(stopped.map(qmp => qmp.run(cont, undefined, { timeout: goOnTimeout })))
}

const isGivenUp = (error: unknown): boolean =>
  error instanceof QmpError && (error.code === 'ETIMEDOUT' || error.code === 'ECANCELED')

async function refuseIfDegraded(
  primary: Qmp,
  { disks, epoch, health }: Pick<CheckpointOptions, 'disks' | 'epoch' | 'health'>,
  limits: Limits,
): Promise<void> {
  const { error, description = 'no reason given' } = await primary.run(queryXenReplicationStatus, undefined, limits)
  // what came before the answer is read after it
  await turn()
  if (health.lost !== undefined) throw health.lost
  for (const [index, disk] of disks.entries()) {
    const bad = health.bad(replicaName(epoch, index))
    if (bad === undefined) continue
    const why = `its replica missed a ${printable(bad.operation)} (${printable(bad.error)})`
    throw new ColoError('degraded', `no checkpoint: of ${printable(disk)} ${why}`, { disk })
  }
  if (error) throw new ColoError('degraded', `no checkpoint: replication failed (${printable(description)})`)
}
