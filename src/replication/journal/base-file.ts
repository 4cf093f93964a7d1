import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import type { Folder } from '../folder.js'
import { damaged } from './damaged.js'
import { readSnapshot, type StateSnapshot } from './journal-state.js'
import type { NamedPoint } from './named-points.js'

/** A named checkpoint that is kept: also where its segment has too many names to say so. */
export interface KeptPoint extends NamedPoint {
  until?: number | undefined
}

/** What the journal rests on: the images hold the content at a position, and the segments what came after it. */
export interface Base {
  version: 1
  /** Where the checksums of this journal's records begin: a number that no guest knows. */
  seed: number
  /** What is known at the position that the images hold. */
  state: StateSnapshot
  /** Of the checkpoints at that position. */
  names?: readonly string[] | undefined
  /** Up to this position records may be in the images already: nothing before it is offered any more. */
  folding?: number | undefined
  /** Named checkpoints that are not folded before a time, in microseconds; without one, never. */
  kept: readonly KeptPoint[]
}

const name = 'base.json'
const draft = 'base.new'
const sizeAtMost = 16 * 1024 * 1024

const checksum = (base: unknown): string => crc32(JSON.stringify(base) ?? '').toString(16)

/** Undefined in a folder that has none. */
export function readBase(folder: Folder): Base | undefined {
  if (!folder.list().includes(name)) return
  const file = folder.open(name, 'read')
  try {
    if (file.size > sizeAtMost) throw damaged(`${name} is too large`)
    const bytes = Buffer.alloc(file.size)
    file.readInto(0, bytes)
    return parseBase(bytes.toString())
  } finally {
    file.close()
  }
}

function parseBase(text: string): Base {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw damaged(`${name} is no JSON`)
  }
  const { base, checksum: expected } = Object(content)
  if (base === undefined || checksum(base) !== expected) throw damaged(`${name} is not what was written`)
  if (base.version !== 1) throw damaged(`${name} is of another version, ${base.version}`)
  return { ...base, state: readSnapshot(base.state) }
}

/** Settles when it has taken the place of the one before, durably. */
export async function writeBase(folder: Folder, base: Base): Promise<void> {
  if (folder.list().includes(draft)) folder.remove(draft)
  const file = folder.open(draft, 'create')
  try {
    file.write(0, Buffer.from(`${JSON.stringify({ base, checksum: checksum(base) })}\n`))
    await file.sync()
  } finally {
    file.close()
  }
  folder.rename(draft, name)
  await folder.sync()
}
