import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { viewBlocks } from '../../qmp/block-view.js'
import { blockCommit, jobComplete } from '../../qmp/commands/block-commit.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { guestDevices } from '../../qmp/commands/guest-devices.js'
import { qomSet } from '../../qmp/commands/qom-set.js'
import { type JobProgress, runJob } from '../../qmp/job.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { dropCopy } from '../copy/disk-copy.js'
import { hiddenNode, parkNode, redoNode } from '../graph/node-names.js'
import { secondaryState } from '../graph/secondary-state.js'
import type { OverlayFiles } from '../rebuild/become-secondary.js'

export interface RedoOptions extends Limits {
  /** The overlays that hold what the disk lacks. */
  overlays: OverlayFiles
  onProgress?: ((progress: JobProgress) => void) | undefined
}

/**
 * Takes over a disk of a secondary that was killed: its new QEMU has the overlays of the old one above the disk, and writes what
 * they hold into it, as a take-over would have. The overlays keep what they hold, so that it can be done again.
 *
 * The guest's device stands on no disk then, until `becomePrimary`; its guest must not have run before.
 *
 * @throws ColoError wrong-state, QmpError job-failed
 */
export async function redoCommit(
  qmp: Qmp,
  disk: string,
  { overlays, onProgress, ...limits }: RedoOptions,
): Promise<void> {
  const [view, devices] = [await viewBlocks(qmp, limits), await qmp.run(guestDevices, undefined, limits)]
  const state = secondaryState(view, disk)
  const [park, redo] = [parkNode(disk), redoNode(disk)]
  const top = state.kind === 'ready' ? state.overlays.top : undefined
  const image = state.kind === 'ready' ? state.image : view.disk(disk)
  const onTop = devices.find(({ nodeName }) => top !== undefined && nodeName === top)
  const device = onTop ?? devices.find(({ nodeName }) => nodeName === park)
  if (image === undefined || device === undefined) {
    const why = `${printable(disk)} is ${state.kind}: start its QEMU anew, as it was, to take it over`
    throw new ColoError('wrong-state', why, { disk })
  }
  if (onTop !== undefined) {
    await qmp
      .run(blockdevAdd, { driver: 'null-co', 'node-name': park, size: image.virtualSize }, limits)
      .catch(unlessRefused)
    await qmp.run(qomSet, { path: device.path, property: 'drive', value: park }, limits)
  }
  // one of a -drive goes by itself, and the overlays with it
  if (top !== undefined) await qmp.run(blockdevDel, { 'node-name': top }, limits).catch(unlessRefused)
  // what a process that is gone has begun
  await dropCopy(qmp, redo)
  const overlay = (filename: string) => ({ driver: 'qcow2', file: { driver: 'file', filename } })
  // that of `becomeSecondary` stands apart, and keeps the image open
  const apart = view.node(hiddenNode(disk))
  const hidden = apart?.nodeName ?? { ...overlay(overlays.hidden), backing: image.nodeName }
  await qmp.run(blockdevAdd, { ...overlay(overlays.active), 'node-name': redo, backing: hidden }, limits)
  const commit = { 'job-id': redo, device: redo, 'base-node': image.nodeName }
  const { signal } = limits
  await runJob(qmp, { id: redo, start: () => qmp.run(blockCommit, commit, limits), until: 'ready', onProgress, signal })
  await runJob(qmp, { id: redo, start: () => qmp.run(jobComplete, { id: redo }, limits), ...limits })
  await qmp.run(blockdevDel, { 'node-name': redo }, limits).catch(unlessRefused)
}
