import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'
import { systemCode } from './system-code.js'
import { takeTurns } from './take-turns.js'

/** What says how far a journal is folded: where it changed meanwhile, what was copied may not fit together. */
const baseName = 'base.json'
const partSize = 1024 * 1024

/**
 * Copies all that is in a folder, one file of it last, and makes it durable. Zeroes stay holes.
 *
 * @returns false where it changed meanwhile in a way that makes the copy worthless
 */
export async function copyFolder(from: Folder, to: Folder, last: string): Promise<boolean> {
  try {
    return await copyAll(from, to, last)
  } catch (error) {
    // a segment was folded, and removed
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

async function copyAll(from: Folder, to: Folder, last: string): Promise<boolean> {
  const base = readBase(from)
  // a map before what it is of: where both are written to meanwhile, it says of nothing that it is there which was not copied
  for (const name of [...from.list()].sort()) if (name !== last) await copyFile(from, to, name)
  for (const name of from.folders()) if (!(await copyFolder(from.folder(name), to.folder(name), ''))) return false
  if (base === undefined ? readBase(from) !== undefined : !readBase(from)?.equals(base)) return false
  await to.sync()
  if (!from.list().includes(last)) return true
  // whoever finds it finds all of it
  const half = `${last}.half`
  await copyFile(from, to, last, half)
  await to.sync()
  to.rename(half, last)
  await to.sync()
  return true
}

async function copyFile(from: Folder, to: Folder, name: string, as = name): Promise<void> {
  const source = from.open(name, 'read')
  try {
    const target = to.open(as, 'create')
    try {
      const { size } = source
      const part = Buffer.alloc(partSize)
      for (let at = 0; at < size; at += partSize) {
        const bytes = part.subarray(0, source.readInto(at, part))
        if (bytes.some(byte => byte !== 0)) target.write(at, bytes)
        await takeTurns()
      }
      target.truncate(size)
      await target.sync()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}

function readBase(folder: Folder): Buffer | undefined {
  if (!folder.list().includes(baseName)) return undefined
  const file = folder.open(baseName, 'read')
  try {
    const bytes = Buffer.alloc(file.size)
    file.readInto(0, bytes)
    return bytes
  } finally {
    file.close()
  }
}
