import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { encodeText } from '../byte-text.js'
import { type DiskTarget, isTargetExamined } from './choose-backend.js'
import type { DeviceDisk } from './device-disk.js'
import { type DiskContext, withBackend, withDefaults } from './resolve-disk.js'
import type { ResolvedDisk } from './resolved-disk.js'

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
  if (path === '' || path.includes('\0')) return ['missing', reasons.ENOENT]
  try {
    return [kindOf(await stat(encodeText(path))), '']
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return ['missing', Object.hasOwn(reasons, code) ? reasons[code as keyof typeof reasons] : code]
  }
}

const reasons = {
  EACCES: 'Permission denied',
  EIO: 'Input/output error',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
} as const

/** A pipe or a socket is as good as a character device: libxl takes none of them. */
function kindOf(stats: Stats): DiskTarget {
  if (stats.isBlockDevice()) return 'block'
  if (stats.isFile()) return 'file'
  return stats.isDirectory() ? 'dir' : 'char'
}
