import type { Limits } from '../../link/limits.js'
import {
  blockDirtyBitmapAdd,
  blockDirtyBitmapMerge,
  blockDirtyBitmapRemove,
} from '../../qmp/commands/block-dirty-bitmap.js'
import { blockdevAdd, blockdevDel } from '../../qmp/commands/blockdev-add.js'
import { blockdevBackup } from '../../qmp/commands/blockdev-backup.js'
import { queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import { humanMonitor } from '../../qmp/human-monitor.js'
import { runJob } from '../../qmp/job.js'
import type { Qmp } from '../../qmp/qmp.js'
import { unlessRefused } from '../../qmp/unless-refused.js'
import { ColoError } from '../colo-error.js'
import { copyBitmap, marksNode } from '../graph/node-names.js'
import { granularity } from './dirty-changes.js'
import { type CopyOptions, type DiskCopy, withoutStart } from './disk-copy.js'

/** A part of a disk, in bytes. */
export interface Extent {
  start: number
  length: number
}

/** What is left for the last pass, for which the guest stands still: bytes that are copied in no time. */
const enoughForTheLast = 4 * 1024 * 1024
/** qemu-io refuses more than 2 GiB. */
const largestWrite = 1024 ** 3
/** A guest that writes faster than its disk is copied is not waited for longer. */
const mostPasses = 16

/**
 * Marks what has to be copied: all that a bitmap of a checkpoint marks, these extents, and what is written from now on. The bitmap of
 * the checkpoint stays as it is, for the case that the copy fails.
 */
export async function markChanges(
  primary: Qmp,
  { disk, image }: DiskCopy,
  { since, epoch, also }: { since: string | undefined; epoch: number; also: readonly Extent[] },
  limits: Limits,
): Promise<void> {
  const [node, name] = [image.nodeName, copyBitmap(epoch)]
  if (image.bitmaps.some(bitmap => bitmap.name === name))
    await primary.run(blockDirtyBitmapRemove, { node, name }, limits)
  await primary.run(blockDirtyBitmapAdd, { node, name, granularity }, limits)
  if (since !== undefined) await primary.run(blockDirtyBitmapMerge, { node, target: name, bitmaps: [since] }, limits)
  if (also.length === 0) return
  // no command marks a part; writes to a node without data do
  const marks = marksNode(disk)
  await primary.run(blockdevDel, { 'node-name': marks }, limits).catch(unlessRefused)
  await primary.run(blockdevAdd, { driver: 'null-co', 'node-name': marks, size: image.virtualSize }, limits)
  await primary.run(blockDirtyBitmapAdd, { node: marks, name, granularity }, limits)
  let wanted = 0
  for (const { start, length } of also) {
    for (let at = start; at < start + length; at += largestWrite)
      await humanMonitor(
        primary,
        `qemu-io ${marks} "write -q -z ${at} ${Math.min(largestWrite, start + length - at)}"`,
        limits,
      )
    wanted += length
  }
  // the monitor says nothing of a write that failed
  const marked = await countOf(primary, marks, name, limits)
  if (marked < wanted)
    throw new ColoError('not-proved', `QEMU marked ${marked} of ${wanted} bytes of what the secondary wrote`, { disk })
  await primary.run(blockDirtyBitmapMerge, { node, target: name, bitmaps: [{ node: marks, name }] }, limits)
  await primary.run(blockdevDel, { 'node-name': marks }, limits)
}

/** Copies what is marked, again and again while the guest writes, until little is left. */
export async function copyWhileRunning(
  primary: Qmp,
  copy: DiskCopy,
  epoch: number,
  options: CopyOptions,
): Promise<void> {
  for (let pass = 1, before = Number.POSITIVE_INFINITY; pass <= mostPasses; pass++) {
    const left = await countOf(primary, copy.image.nodeName, copyBitmap(epoch), options)
    if (left <= enoughForTheLast || left >= before) return
    before = left
    await copyMarked(primary, copy, epoch, options)
  }
}

/** Copies all that is marked; what the guest writes meanwhile is marked anew. */
export async function copyMarked(primary: Qmp, copy: DiskCopy, epoch: number, options: CopyOptions): Promise<void> {
  const { speed, onProgress, ...limits } = options
  const start = () =>
    primary.run(blockdevBackup, {
      'job-id': copy.target,
      device: copy.image.nodeName,
      target: copy.target,
      sync: 'bitmap',
      bitmap: copyBitmap(epoch),
      'bitmap-mode': 'on-success',
      ...(speed !== undefined && { speed }),
    })
  await runJob(primary, { id: copy.target, start, ...withoutStart(copy.disk, onProgress), ...limits })
}

async function countOf(primary: Qmp, nodeName: string, bitmap: string, { signal, timeout }: Limits): Promise<number> {
  const nodes = await primary.run(queryNamedBlockNodes, { flat: true }, { signal, timeout })
  const node = nodes.find(node => node.nodeName === nodeName)
  return node?.bitmaps.find(({ name }) => name === bitmap)?.count ?? Number.POSITIVE_INFINITY
}
