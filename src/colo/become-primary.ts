import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import { blockdevAdd, blockdevDel } from '../qmp/commands/blockdev-add.js'
import { guestDevices } from '../qmp/commands/guest-devices.js'
import { qomSet } from '../qmp/commands/qom-set.js'
import { queryStatus } from '../qmp/commands/query-status.js'
import { cont, stop } from '../qmp/commands/stop-cont.js'
import type { Qmp } from '../qmp/qmp.js'
import { viewBlocks } from './block-view.js'
import { ColoError } from './colo-error.js'
import { primaryState } from './primary-state.js'
import { unlessRefused } from './unless-refused.js'

export interface BecomePrimaryOptions extends Limits {
  /** The disks, by their exports' names. */
  disks: readonly string[]
}

/** The quorum above a disk, and what its guest's device stands on while that is put there. */
const quorumName = (index: number): string => `colo-quorum-${index}`
const parkName = (index: number): string => `colo-park-${index}`

/**
 * Puts a quorum above each disk that was taken over, so that it can have a replica. The guest stands still meanwhile: its device is
 * taken off the replication node, which shares its disk with nothing, and put on the quorum. Done again after a crash in the
 * middle, it goes on from there; the guest may then be left stopped.
 *
 * @throws ColoError wrong-state where a disk was not taken over; QmpError, after which the guest stands still
 */
export async function becomePrimary(qmp: Qmp, { disks, ...limits }: BecomePrimaryOptions): Promise<void> {
  const plans = await plan(qmp, disks, limits)
  if (plans.length === 0) return
  const { running } = await qmp.run(queryStatus, undefined, limits)
  if (running) await qmp.run(stop, undefined, limits)
  for (const step of plans) await insertQuorum(qmp, step, limits)
  if (running) await qmp.run(cont, undefined, limits)
}

interface Plan {
  index: number
  name: string
  size: number
  /** The replication node; undefined where the device is off it already. */
  top: string | undefined
  /** The device's path in QEMU's object tree. */
  device: string
  hasQuorum: boolean
}

/** What is left to do for each disk. */
async function plan(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<Plan[]> {
  const [view, devices] = [await viewBlocks(qmp, limits), await qmp.run(guestDevices, undefined, limits)]
  const deviceOn = (node: string | undefined) => devices.find(({ nodeName }) => nodeName === node)?.path
  return disks.flatMap((name, index) => {
    const base = view.disk(name)
    const top =
      base &&
      view.parents(base.id).find(({ as, node }) => as === 'file' && node.driver === 'replication')?.node.nodeName
    const device = deviceOn(top) ?? deviceOn(parkName(index))
    const { kind } = primaryState(view, name)
    const hasQuorum = kind === 'alone' || kind === 'replicated'
    if (hasQuorum && device === undefined) return []
    if (base === undefined || device === undefined) {
      throw new ColoError('wrong-state', `${printable(name)} is no disk that was taken over here`, { disk: name })
    }
    return [{ index, name, size: base.virtualSize, top, device, hasQuorum }]
  })
}

async function insertQuorum(
  qmp: Qmp,
  { index, name, size, top, device, hasQuorum }: Plan,
  limits: Limits,
): Promise<void> {
  const park = parkName(index)
  const quorum = quorumName(index)
  if (top !== undefined) {
    await qmp.run(blockdevAdd, { driver: 'null-co', 'node-name': park, size }, limits).catch(unlessRefused)
    await qmp.run(qomSet, { path: device, property: 'drive', value: park }, limits)
    // one of a -drive goes by itself
    await qmp.run(blockdevDel, { 'node-name': top }, limits).catch(unlessRefused)
  }
  if (!hasQuorum) {
    const options = {
      driver: 'quorum',
      'node-name': quorum,
      'vote-threshold': 1,
      'read-pattern': 'fifo',
      children: [name],
    }
    await qmp.run(blockdevAdd, options, limits)
  }
  await qmp.run(qomSet, { path: device, property: 'drive', value: quorum }, limits)
  await qmp.run(blockdevDel, { 'node-name': park }, limits)
}
