import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkText } from '../../check-argument.js'
import type { FreeSpace } from '../overlay-fill.js'

/** What this machine's file system has left for a file; undefined where that cannot be asked. */
export const localFreeSpace: FreeSpace = async file => {
  checkText('file', file)
  if (!file.startsWith('/')) return undefined
  const stats = await statfs(dirname(file)).catch(() => undefined)
  return stats && stats.bavail * stats.bsize
}
