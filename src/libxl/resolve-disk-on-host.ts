import { stat } from 'node:fs/promises'
import { encodeText } from '../byte-text.js'
import { type DiskTarget, isTargetExamined } from './choose-backend.js'
import type { DeviceDisk } from './device-disk.js'
import { type DiskContext, withBackend, withDefaults } from './resolve-disk.js'
import type { ResolvedDisk } from './resolved-disk.js'
import { kindOf, reasonOf } from './stat-target.js'

/**
 * `resolveDisk` with the target looked up in this host's file system, where and only where libxl would look. Nothing is
 * created: the file behind an empty CD drive served by phy is left to who attaches the disk.
 *
 * @throws LibxlError with libxl's number and reason where libxl refuses, a target that cannot be examined included
 */
export async function resolveDiskOnHost(disk: DeviceDisk, context: DiskContext): Promise<ResolvedDisk> {
  const defaulted = withDefaults(disk, context)
  const { pdevPath } = defaulted
  if (pdevPath === undefined || !isTargetExamined(defaulted)) return withBackend(defaulted, 'missing', '')
  const [target, reason] = await examine(pdevPath)
  return withBackend(defaulted, target, reason)
}

/** What `stat` says of a path, or why it says nothing, in the C library's words. */
async function examine(path: string): Promise<[target: DiskTarget, reason: string]> {
  if (path === '' || path.includes('\0')) return ['missing', 'No such file or directory']
  try {
    return [kindOf(await stat(encodeText(path))), '']
  } catch (error) {
    return ['missing', reasonOf(error)]
  }
}
