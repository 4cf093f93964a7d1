import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { blockdevChange } from '../qmp/commands/x-blockdev-change.js'
import { xenSetReplication } from '../qmp/commands/xen-replication.js'
import { yank } from '../qmp/commands/yank.js'
import type { Qmp } from '../qmp/qmp.js'
import { viewBlocks } from './block-view.js'
import { ColoError } from './colo-error.js'
import { type PrimaryState, primaryState } from './primary-state.js'
import { unlessRefused } from './unless-refused.js'

export interface PrimaryOptions extends Limits {
  /** The disks, by their exports' names, which are their node-names or their drives' ids. */
  disks: readonly string[]
  /** Where the secondary listens. */
  host: string
  port: number
  /** The number of this protection, which grows with each: the nodes are named by it, so that none of an earlier one is taken for its own. */
  epoch: number
  /** The id of a `tls-creds-…` object of this QEMU. */
  tlsCreds?: string | undefined
}

/** How long it may take to undo what was attached, in milliseconds. */
const undoTimeout = 10_000

/** The node that stands for a disk's secondary: at most 31 characters. */
export const replicaName = (epoch: number, index: number): string => `colo-${epoch}-${index}`
const nbdName = (epoch: number, index: number): string => `colo-${epoch}-${index}-nbd`

/**
 * Sends a primary's writes to its secondary too, which must be started and hold the same data. What is done already is not
 * done again. Where it fails for any disk, none is replicated.
 *
 * @throws ColoError not-a-colo-disk, wrong-state where another replica is there, not-proved; QmpError
 */
export async function attachReplicas(qmp: Qmp, options: PrimaryOptions): Promise<void> {
  const { disks, epoch, host, port, tlsCreds, ...limits } = options
  const states = await look(qmp, disks, limits)
  for (const [index, state] of states.entries()) refuse(disks[index]!, state, replicaName(epoch, index))
  try {
    for (const [index, name] of disks.entries()) {
      const state = states[index]!
      if (state.kind !== 'alone') continue
      const nbd = {
        driver: 'nbd',
        'node-name': nbdName(epoch, index),
        server: { type: 'inet', host, port: String(port) },
        export: name,
        ...(tlsCreds !== undefined && { 'tls-creds': tlsCreds }),
      }
      const node = replicaName(epoch, index)
      await qmp.run(blockdevAdd, { driver: 'replication', mode: 'primary', 'node-name': node, file: nbd }, limits)
      await qmp.run(blockdevChange, { parent: state.quorum, node }, limits)
    }
    if (states.some(({ kind }) => kind === 'alone'))
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
}

/**
 * Lets a primary go on alone, also where its secondary is silent: the connections are cut first, as to remove a child waits for
 * what is under way to it.
 */
export async function detachReplicas(qmp: Qmp, { disks, epoch, ...limits }: DetachOptions): Promise<void> {
  await cutReplicas(qmp, { disks, epoch }, limits)
  const states = await look(qmp, disks, limits)
  for (const [index, state] of states.entries()) {
    const node = replicaName(epoch, index)
    if (state.kind === 'replicated' && state.replica.nodeName === node)
      await qmp.run(blockdevChange, { parent: state.quorum, child: state.replica.child }, limits)
    await qmp.run(blockdevDel, { 'node-name': node }, limits).catch(unlessRefused)
  }
}

/** Cuts the connections to the secondary, out of band: what waits for them fails at once. Without out-of-band it can do nothing. */
export async function cutReplicas(qmp: Qmp, { disks, epoch }: DetachOptions, limits: Limits): Promise<void> {
  if (!qmp.outOfBand) return
  for (const index of disks.keys()) {
    const instances = [{ type: 'block-node', 'node-name': nbdName(epoch, index) }] as const
    await qmp.runOutOfBand(yank, { instances }, limits).catch(unlessRefused)
  }
}

async function prove(qmp: Qmp, { disks, epoch }: DetachOptions, limits: Limits): Promise<void> {
  for (const [index, state] of (await look(qmp, disks, limits)).entries()) {
    if (state.kind === 'replicated' && state.replica.nodeName === replicaName(epoch, index)) continue
    const disk = disks[index]!
    throw new ColoError(
      'not-proved',
      `${printable(disk)} is ${state.kind}, though QEMU says that replication was started`,
      { disk },
    )
  }
}

async function look(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<PrimaryState[]> {
  const view = await viewBlocks(qmp, limits)
  return disks.map(disk => primaryState(view, disk))
}

function refuse(disk: string, state: PrimaryState, ours: string): void {
  const name = printable(disk)
  switch (state.kind) {
    case 'missing':
      throw new ColoError('not-a-colo-disk', `there is no disk ${name} here`, { disk })
    case 'no-quorum':
      throw new ColoError('not-a-colo-disk', `${name} is no quorum, but ${printable(state.driver)}`, { disk })
    case 'foreign':
      throw new ColoError('wrong-state', `${name}: ${state.why}`, { disk })
    case 'replicated':
      if (state.replica.nodeName === ours) return
      throw new ColoError('wrong-state', `${name} has a replica already, ${printable(state.replica.nodeName)}`, {
        disk,
      })
  }
}
