import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { encodeText } from '../byte-text.js'
import type { DiskTarget } from './choose-backend.js'

/** What a path is (`stat`); where it can't be examined, 'missing' and the reason in the C library's words. */
export async function statTarget(path: string): Promise<{ target: DiskTarget; reason: string }> {
  if (path === '' || path.includes('\0')) return { target: 'missing', reason: 'No such file or directory' }
  try {
    return { target: kindOf(await stat(encodeText(path))), reason: '' }
  } catch (error) {
    return { target: 'missing', reason: reasonOf(error) }
  }
}

/** What `stat` found. A pipe or a socket is as good as a character device: libxl takes none of them. */
export function kindOf(stats: Stats): DiskTarget {
  if (stats.isBlockDevice()) return 'block'
  if (stats.isFile()) return 'file'
  return stats.isDirectory() ? 'dir' : 'char'
}

/** strerror of glibc, for what can befall a path or a stream. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EFBIG: 'File too large',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
}

/** Why a system call failed, in the C library's words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return reasons[code] ?? (code || String(error))
}

/** The name of a system call's errno; '' for any other error. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
