import type { DiskTarget } from './choose-backend.js'
import type { DeviceDisk } from './device-disk.js'
import { type DiskContext, isTargetLookedAt, withBackend, withDefaults } from './resolve-disk.js'
import type { ResolvedDisk } from './resolved-disk.js'
import { statTarget } from './stat-target.js'

/**
 * `resolveDisk` with the target looked up in this host's file system, where and only where libxl would look. Nothing is
 * created: the file behind an empty CD drive served by phy is left to who attaches the disk.
 *
 * @throws LibxlError with libxl's number and reason where libxl refuses, a target that cannot be examined included
 */
export const resolveDiskOnHost = async (disk: DeviceDisk, context: DiskContext): Promise<ResolvedDisk> =>
  resolveExamined(disk, context, statTarget)

/** The same with another way to look at the target. */
export async function resolveExamined(
  disk: DeviceDisk,
  context: DiskContext,
  examine: (path: string) => Promise<{ target: DiskTarget; reason?: string | undefined }>,
): Promise<ResolvedDisk> {
  const defaulted = withDefaults(disk, context)
  const { pdevPath } = defaulted
  if (pdevPath === undefined || !isTargetLookedAt(defaulted, context))
    return withBackend(defaulted, context, 'missing', '')
  const { target, reason } = await examine(pdevPath)
  return withBackend(defaulted, context, target, reason ?? 'No such file or directory')
}
