import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { viewBlocks } from '../qmp/block-view.js'
import { xenSetReplication } from '../qmp/commands/xen-replication.js'
import type { Qmp } from '../qmp/qmp.js'
import { ColoError } from './colo-error.js'
import { type ListenAddress, openServer } from './exports/nbd-server.js'
import { addExport, endExports, hasExports } from './exports/secondary-exports.js'
import { exportId, exportName } from './graph/node-names.js'
import type { SecondaryState } from './graph/secondary-state.js'
import { refuseUnless, statesOf } from './graph/secondary-states.js'

export interface SecondaryOptions extends Limits, ListenAddress {
  /** The disks, by their exports' names, which are their node-names or their drives' ids. */
  disks: readonly string[]
  /** The number of this protection: a primary of an earlier one does not find the exports. */
  epoch: number
}

/**
 * Has a secondary's QEMU listen for its primary: one NBD server, an export for each disk. What the primary writes goes into the disks,
 * until `startReplication` keeps it apart. Exports of an earlier epoch are ended first, with their connections.
 *
 * @throws ColoError not-a-colo-disk, wrong-state, old-epoch, server-in-use; QmpError
 */
export async function listen(qmp: Qmp, options: SecondaryOptions): Promise<void> {
  const { disks, host, port, tlsCreds, epoch, ...limits } = options
  const view = await viewBlocks(qmp, limits)
  const states = statesOf(view, disks)
  if (states.some(({ kind }) => kind !== 'replicating')) refuseUnless(disks, states, 'ready')
  if (await hasExports(qmp, disks, epoch, limits)) return
  await endExports(qmp, () => limits)
  await openServer(qmp, { host, port, tlsCreds }, limits)
  try {
    for (const [index, disk] of disks.entries()) {
      const state = states[index]!
      const door = doorOf(state)
      await addExport(qmp, { id: exportId(epoch, disk), node: door, name: exportName(epoch, disk) }, limits)
    }
  } catch (error) {
    await endExports(qmp, () => ({ timeout: undoTimeout })).catch(() => {})
    throw error
  }
}

/** Where the primary's writes come in: never past what keeps apart what they overwrite. */
function doorOf(state: SecondaryState): string {
  if (state.kind === 'replicating') return state.door.nodeName
  if (state.kind === 'ready') return state.image.nodeName
  throw new ColoError('wrong-state', `a disk is ${state.kind}, and should be ready`)
}

/** How long it may take to undo what was opened, in milliseconds. */
const undoTimeout = 10_000

/**
 * Has a secondary that listens keep apart from now on what the primary writes. Its disks must hold what the primary's do. What is
 * done already is not done again.
 *
 * @throws ColoError not-a-colo-disk, wrong-state, not-proved; QmpError
 */
export async function startReplication(
  qmp: Qmp,
  { disks, ...limits }: Pick<SecondaryOptions, 'disks'> & Limits,
): Promise<void> {
  const states = statesOf(await viewBlocks(qmp, limits), disks)
  if (states.every(({ kind }) => kind === 'replicating')) return
  refuseUnless(disks, states, 'ready')
  await qmp.run(xenSetReplication, { enable: true, primary: false }, limits)
  await prove(qmp, disks, limits)
}

async function prove(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<void> {
  for (const [index, { kind }] of statesOf(await viewBlocks(qmp, limits), disks).entries()) {
    if (kind === 'replicating') continue
    const disk = disks[index]!
    throw new ColoError('not-proved', `${printable(disk)} is ${kind}, though QEMU says that replication was started`, {
      disk,
    })
  }
}
