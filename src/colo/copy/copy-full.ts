import { blockdevMirror, blockJobCancel } from '../../qmp/commands/blockdev-mirror.js'
import { runJob } from '../../qmp/job.js'
import type { Qmp } from '../../qmp/qmp.js'
import { type CopyOptions, type DiskCopy, withoutStart } from './disk-copy.js'

/**
 * Copies all of a disk while its guest runs. From when it resolves on, a write of the guest's waits until it is in the target too.
 *
 * @throws QmpError job-failed, job-cancelled
 */
export async function startFullCopy(
  primary: Qmp,
  { disk, quorum, target }: DiskCopy,
  options: CopyOptions,
): Promise<void> {
  const { speed, onProgress, ...limits } = options
  const start = () =>
    primary.run(blockdevMirror, {
      'job-id': target,
      device: quorum,
      target,
      sync: 'full',
      // what the guest writes meanwhile is there too when the copy is through
      'copy-mode': 'write-blocking',
      ...(speed !== undefined && { speed }),
    })
  await runJob(primary, { id: target, start, until: 'ready', ...withoutStart(disk, onProgress), ...limits })
}

/** Ends the copy; the guest stands still: all of the disk is in the target then. */
export async function endFullCopy(primary: Qmp, { target }: DiskCopy, { signal, timeout }: CopyOptions): Promise<void> {
  const start = () => primary.run(blockJobCancel, { device: target }, { signal, timeout })
  await runJob(primary, { id: target, start, signal, timeout })
}
