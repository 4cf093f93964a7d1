import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { type BlockView, type ViewedNode, viewBlocks } from '../../qmp/block-view.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { guestDevices } from '../../qmp/commands/guest-devices.js'
import { qomSet } from '../../qmp/commands/qom-set.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { hiddenNode, parkNode, quorumNode } from '../graph/node-names.js'
import { primaryState } from '../graph/primary-state.js'
import { secondaryState } from '../graph/secondary-state.js'
import { guestOf } from '../guest-control.js'

export interface BecomePrimaryOptions extends Limits {
  /** The disks, by their exports' names. */
  disks: readonly string[]
}

/**
 * Puts a quorum above each disk that was taken over, so that it can have a replica. The guest stands still meanwhile: its device is
 * taken off the replication node, which shares its disk with nothing, and put on the quorum. Done again after a crash in the
 * middle, it goes on from there.
 *
 * @throws ColoError wrong-state where a disk was not taken over; QmpError, after which the guest stands still
 */
export async function becomePrimary(qmp: Qmp, { disks, ...limits }: BecomePrimaryOptions): Promise<void> {
  const plans = await plan(qmp, disks, limits)
  if (plans.length === 0) return
  const guest = await guestOf({ qmp }, limits)
  await guest.stop(limits)
  for (const step of plans) await insertQuorum(qmp, step, limits)
  await guest.resume(limits)
}

interface Plan {
  name: string
  /** The node of the disk's image. */
  image: string
  size: number
  /** The replication node; undefined where the device is off it already. */
  top: string | undefined
  /** The device's path in QEMU's object tree. */
  device: string
  /** Whether it is off the replication node; to have it changed to the node that it has ends QEMU 7.2. */
  isParked: boolean
  hasQuorum: boolean
}

/** What is left to do for each disk. */
async function plan(qmp: Qmp, disks: readonly string[], limits: Limits): Promise<Plan[]> {
  const [view, devices] = [await viewBlocks(qmp, limits), await qmp.run(guestDevices, undefined, limits)]
  const deviceOn = (node: string | undefined) => devices.find(({ nodeName }) => nodeName === node)?.path
  return disks.flatMap(name => {
    const state = secondaryState(view, name)
    const top = state.kind === 'failed-over' ? state.top : undefined
    const onTop = deviceOn(top)
    const device = onTop ?? deviceOn(parkNode(name))
    const { kind } = primaryState(view, name)
    const hasQuorum = kind === 'alone' || kind === 'replicated' || view.node(quorumNode(name)) !== undefined
    if (hasQuorum && device === undefined) return []
    const image = state.kind === 'failed-over' ? state.image : (view.disk(name) ?? keptImage(view, name))
    if (image === undefined || device === undefined) {
      throw new ColoError('wrong-state', `${printable(name)} is no disk that was taken over here`, { disk: name })
    }
    return [
      { name, image: image.nodeName, size: image.virtualSize, top, device, isParked: onTop === undefined, hasQuorum },
    ]
  })
}

/** One that `becomeSecondary` had made a secondary's, and whose overlays were written into it again: its hidden overlay keeps it open. */
function keptImage(view: BlockView, name: string): ViewedNode | undefined {
  const hidden = view.node(hiddenNode(name))
  return hidden && view.child(hidden.id, 'backing')
}

async function insertQuorum(
  qmp: Qmp,
  { name, image, size, top, device, isParked, hasQuorum }: Plan,
  limits: Limits,
): Promise<void> {
  const [park, quorum] = [parkNode(name), quorumNode(name)]
  if (!isParked) {
    await qmp.run(blockdevAdd, { driver: 'null-co', 'node-name': park, size }, limits).catch(unlessRefused)
    await qmp.run(qomSet, { path: device, property: 'drive', value: park }, limits)
  }
  // one of a -drive goes by itself
  if (top !== undefined) await qmp.run(blockdevDel, { 'node-name': top }, limits).catch(unlessRefused)
  if (!hasQuorum) {
    const options = {
      driver: 'quorum',
      'node-name': quorum,
      'vote-threshold': 1,
      'read-pattern': 'fifo',
      children: [image],
    }
    await qmp.run(blockdevAdd, options, limits)
  }
  await qmp.run(qomSet, { path: device, property: 'drive', value: quorum }, limits)
  await qmp.run(blockdevDel, { 'node-name': park }, limits)
  // of `becomeSecondary`: until now it kept the image open
  await qmp.run(blockdevDel, { 'node-name': hiddenNode(name) }, limits).catch(unlessRefused)
}
