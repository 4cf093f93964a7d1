import type { Stats } from 'node:fs'
import type { DiskTarget } from './choose-backend.js'

/** What `stat` found. A pipe or a socket is as good as a character device: libxl takes none of them. */
export function targetKind(stats: Stats): DiskTarget {
  if (stats.isBlockDevice()) return 'block'
  if (stats.isFile()) return 'file'
  return stats.isDirectory() ? 'dir' : 'char'
}
