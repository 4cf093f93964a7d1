import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { type BlockView, viewBlocks } from '../../qmp/block-view.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { guestDevices } from '../../qmp/commands/guest-devices.js'
import { qomSet } from '../../qmp/commands/qom-set.js'
import { queryStatus } from '../../qmp/commands/query-status.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { activeNode, hiddenNode, topNode } from '../graph/node-names.js'
import { primaryState } from '../graph/primary-state.js'
import { secondaryState } from '../graph/secondary-state.js'
import { becomePrimary } from './become-primary.js'

/** The files of a disk's overlays: empty ones, of the disk's size. */
export interface OverlayFiles {
  active: string
  hidden: string
}

export interface BecomeSecondaryOptions extends Limits {
  /** The disks, by their exports' names, and their overlays, which this QEMU opens. */
  overlays: ReadonlyMap<string, OverlayFiles>
}

/**
 * Makes of a primary whose guest stands still a secondary that is ready: overlays are put above each disk's image, and the guest's
 * device on them. What the dirty bitmaps have is kept, which a new QEMU would not have. Done again after a crash it goes on.
 *
 * @throws ColoError split-brain where the guest runs, wrong-state where a disk has a replica or is none; QmpError
 */
export async function becomeSecondary(qmp: Qmp, { overlays, ...limits }: BecomeSecondaryOptions): Promise<void> {
  const disks = [...overlays.keys()]
  const { running } = await qmp.run(queryStatus, undefined, limits)
  if (running) throw new ColoError('split-brain', 'the guest runs: stop it before its disks become a secondary')
  const view = await viewBlocks(qmp, limits)
  const taken = disks.filter(disk => secondaryState(view, disk).kind === 'failed-over')
  await becomePrimary(qmp, { disks: taken, ...limits })
  for (const [disk, files] of overlays) await insertOverlays(qmp, disk, files, limits)
}

async function insertOverlays(qmp: Qmp, disk: string, files: OverlayFiles, limits: Limits): Promise<void> {
  const [view, devices] = [await viewBlocks(qmp, limits), await qmp.run(guestDevices, undefined, limits)]
  const top = topNode(disk)
  if (devices.some(({ nodeName }) => nodeName === top)) return dropQuorum(qmp, view, disk, limits)
  const state = primaryState(view, disk)
  const device = state.kind === 'alone' && devices.find(({ nodeName }) => nodeName === state.quorum)
  if (!device) {
    const why = state.kind === 'alone' ? "stands below no guest's device" : `is ${state.kind}`
    throw new ColoError('wrong-state', `${printable(disk)} ${why}, and should be a primary's without a replica`, {
      disk,
    })
  }
  const [active, hidden] = [activeNode(disk), hiddenNode(disk)]
  const overlay = (filename: string) => ({ driver: 'qcow2', file: { driver: 'file', filename } })
  const image = state.image.nodeName
  if (view.node(hidden) === undefined)
    await qmp.run(blockdevAdd, { ...overlay(files.hidden), 'node-name': hidden, backing: image }, limits)
  if (view.node(top) === undefined) {
    const file = { ...overlay(files.active), 'node-name': active, backing: hidden }
    const options = { driver: 'replication', mode: 'secondary', 'node-name': top, 'top-id': top, file }
    await qmp.run(blockdevAdd, options, limits)
  }
  await qmp.run(qomSet, { path: device.path, property: 'drive', value: top }, limits)
  await dropQuorum(qmp, view, disk, limits)
}

/** One of a -drive goes by itself. */
async function dropQuorum(qmp: Qmp, view: BlockView, disk: string, limits: Limits): Promise<void> {
  const state = primaryState(view, disk)
  if (state.kind !== 'alone') return
  await qmp.run(blockdevDel, { 'node-name': state.quorum }, limits).catch(unlessRefused)
}
