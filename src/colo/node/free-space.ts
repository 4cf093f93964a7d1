import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FreeSpace } from '../overlay-fill.js'

/** What this machine's file system has left for a file; undefined for what is no path here. */
export const localFreeSpace: FreeSpace = async file => {
  if (!file.startsWith('/')) return undefined
  const { bavail, bsize } = await statfs(dirname(file))
  return bavail * bsize
}
