import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'

/** The longest record, in bytes. */
const longest = 1024 * 1024

/** Reads a file of a folder; undefined where there is none. @throws the system's error */
export function readText(folder: Folder, name: string): string | undefined {
  if (!folder.list().includes(name)) return undefined
  const file = folder.open(name, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(file.size, longest))
    return bytes.subarray(0, file.readInto(0, bytes)).toString('utf8')
  } finally {
    file.close()
  }
}

/** Puts a text in the place of a file's, durably: after a crash it is the one or the other. @throws the system's error */
export async function writeText(folder: Folder, name: string, text: string): Promise<void> {
  const draft = `${name}.new`
  if (folder.list().includes(draft)) folder.remove(draft)
  const file = folder.open(draft, 'create')
  try {
    file.write(0, Buffer.from(text))
    await file.sync()
  } finally {
    file.close()
  }
  folder.rename(draft, name)
  await folder.sync()
}
