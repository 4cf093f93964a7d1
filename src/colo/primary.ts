import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { viewBlocks } from '../qmp/block-view.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { queryCommands } from '../qmp/commands/query-commands.js'
import { blockdevChange } from '../qmp/commands/x-blockdev-change.js'
import { xenSetReplication } from '../qmp/commands/xen-replication.js'
import { yank } from '../qmp/commands/yank.js'
import type { Qmp } from '../qmp/qmp.js'
import { unlessRefused } from '../qmp/unless-refused.js'
import { ColoError } from './colo-error.js'
import { nbdOptions, type SecondaryAddress } from './copy/disk-copy.js'
import { exportName, nbdNode, replicaNode } from './graph/node-names.js'
import { type PrimaryState, primaryState } from './graph/primary-state.js'

/**
 * What stands in the quorum for the secondary: QEMU's `replication` driver over an NBD client, as libxl has it, or the NBD client alone,
 * which a QEMU without that driver has too. The driver only passes on what is written; without it QEMU has no error flag of its
 * own, and what went wrong while nobody listened is unknown.
 */
export type ReplicaDriver = 'replication' | 'nbd'

/** The driver that this QEMU has: one that was built without replication lacks its commands too. */
export async function usualDriver(qmp: Qmp, limits: Limits): Promise<ReplicaDriver> {
  const commands = await qmp.run(queryCommands, undefined, limits)
  return commands.includes(xenSetReplication.name) ? 'replication' : 'nbd'
}

export interface PrimaryOptions extends Limits, SecondaryAddress {
  /** The disks, by their exports' names, which are their node-names or their drives' ids. */
  disks: readonly string[]
  /** The number of this protection, which grows with each: nodes and exports are named by it, so that none of an earlier one is taken for its own. */
  epoch: number
  /** 'replication' by default. */
  driver?: ReplicaDriver | undefined
}

/** How long it may take to undo what was attached, in milliseconds. */
const undoTimeout = 10_000

/**
 * Sends a primary's writes to its secondary too, which must be started and hold the same data. What is done already is not
 * done again. Where it fails for any disk, none is replicated.
 *
 * @throws ColoError not-a-colo-disk, wrong-state where another replica is there, not-proved; QmpError
 */
export async function attachReplicas(qmp: Qmp, options: PrimaryOptions): Promise<void> {
  const { disks, epoch, host, port, tlsCreds, driver = 'replication', ...limits } = options
  const states = await look(qmp, disks, limits)
  for (const [index, state] of states.entries()) refuse(disks[index]!, state, epoch)
  try {
    for (const [index, name] of disks.entries()) {
      const state = states[index]!
      if (state.kind !== 'alone') continue
      const [replica, nbd] = [replicaNode(epoch, name), nbdNode(epoch, name)]
      const client = { ...nbdOptions({ host, port, tlsCreds }, exportName(epoch, name)), 'node-name': nbd }
      const isDriver = driver === 'replication'
      const options = isDriver ? { driver, mode: 'primary', 'node-name': replica, file: client } : client
      await qmp.run(blockdevAdd, options, limits)
      await qmp.run(blockdevChange, { parent: state.quorum, node: isDriver ? replica : nbd }, limits)
    }
    if (driver === 'replication' && states.some(({ kind }) => kind === 'alone'))
      await qmp.run(xenSetReplication, { enable: true, primary: true }, limits)
    await prove(qmp, { disks, epoch }, limits)
  } catch (error) {
    await detachReplicas(qmp, { disks, epoch, timeout: undoTimeout }).catch(() => {})
    throw error
  }
}

export interface DetachOptions extends Limits {
  disks: readonly string[]
  epoch: number
  /** The connection that cuts; it may be another one, which nothing blocks. */
  urgent?: Qmp | undefined
}

/**
 * Lets a primary go on alone, also where its secondary is silent: the connections are cut first, as to remove a child waits for
 * what is under way to it.
 */
export async function detachReplicas(
  qmp: Qmp,
  { disks, epoch, urgent = qmp, ...limits }: DetachOptions,
): Promise<void> {
  await cutReplicas(urgent, { disks, epoch }, limits)
  const states = await look(qmp, disks, limits)
  for (const [index, state] of states.entries()) {
    const name = disks[index]!
    if (state.kind === 'replicated' && isOurs(state, epoch, name))
      await qmp.run(blockdevChange, { parent: state.quorum, child: state.replica.child }, limits)
    for (const node of [replicaNode(epoch, name), nbdNode(epoch, name)])
      await qmp.run(blockdevDel, { 'node-name': node }, limits).catch(unlessRefused)
  }
}

/** Cuts the connections to the secondary, out of band: what waits for them fails at once. Without out-of-band it can do nothing. */
export async function cutReplicas(
  qmp: Qmp,
  { disks, epoch }: Pick<DetachOptions, 'disks' | 'epoch'>,
  limits: Limits,
): Promise<void> {
  if (!qmp.outOfBand) return
  const cut = (disk: string) => {
    const instances = [{ type: 'block-node', 'node-name': nbdNode(epoch, disk) }] as const
    return qmp.runOutOfBand(yank, { instances }, limits).catch(unlessRefused)
  }
  await Promise.all(disks.map(cut))
}

async function prove(
  qmp: Qmp,
  { disks, epoch }: Pick<DetachOptions, 'disks' | 'epoch'>,
  limits: Limits,
): Promise<void> {
  for (const [index, state] of (await look(qmp, disks, limits)).entries()) {
    const disk = disks[index]!
    if (state.kind === 'replicated' && isOurs(state, epoch, disk)) continue
    throw new ColoError(
      'not-proved',
      `${printable(disk)} is ${state.kind}, though QEMU says that replication was started`,
      { disk },
    )
  }
}

const isOurs = ({ replica }: PrimaryState & { kind: 'replicated' }, epoch: number, disk: string): boolean =>
  replica.nbdNode === nbdNode(epoch, disk)

async function look(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<PrimaryState[]> {
  const view = await viewBlocks(qmp, limits)
  return disks.map(disk => primaryState(view, disk))
}

function refuse(disk: string, state: PrimaryState, epoch: number): void {
  const name = printable(disk)
  switch (state.kind) {
    case 'missing':
      throw new ColoError('not-a-colo-disk', `there is no disk ${name} here`, { disk })
    case 'no-quorum':
      throw new ColoError('not-a-colo-disk', `${name} is no quorum, but ${printable(state.driver)}`, { disk })
    case 'foreign':
      throw new ColoError('wrong-state', `${name}: ${state.why}`, { disk })
    case 'replicated':
      if (isOurs(state, epoch, disk)) return
      throw new ColoError('wrong-state', `${name} has a replica already, ${printable(state.replica.nodeName)}`, {
        disk,
      })
  }
}
