import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'

const name = 'room.tmp'
/** What there must be, in bytes, for a full journal to go on. */
const needed = 1024 * 1024

/** Takes away what a crash left of a trial. */
export function removeTrial(folder: Folder): void {
  if (folder.list().includes(name)) folder.remove(name)
}

/** Throws the system's error where there is no room to go on. */
export async function tryRoom(folder: Folder): Promise<void> {
  removeTrial(folder)
  const file = folder.open(name, 'create')
  try {
    file.write(0, Buffer.alloc(needed))
    await file.sync()
  } finally {
    file.close()
    removeTrial(folder)
  }
}
