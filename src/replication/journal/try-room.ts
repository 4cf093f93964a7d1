import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'
import { isFull } from './journal-error.js'

const name = 'room.tmp'
/** What there must be, in bytes, for a full journal to go on. */
const needed = 1024 * 1024

/** Takes away what a crash left of a trial. */
export function removeTrial(folder: Folder): void {
  if (folder.list().includes(name)) folder.remove(name)
}

/** Whether there is room to go on. Rejects with the system's error where that cannot be found out. */
export async function hasRoom(folder: Folder): Promise<boolean> {
  try {
    await tryRoom(folder)
    return true
  } catch (error) {
    if (isFull(error)) return false
    throw error
  }
}

async function tryRoom(folder: Folder): Promise<void> {
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
