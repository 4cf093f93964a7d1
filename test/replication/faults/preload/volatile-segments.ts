import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** How long a sync takes at most, in milliseconds. */
const { SYNC_AT_MOST } = process.env

interface Piece {
  bytes: Buffer
  at: number
}

/** Of each segment that is open for writing, what is not synced. */
const unsynced = new Map<number, Piece[]>()
const { openSync, closeSync, writeSync, ftruncateSync, fdatasync } = fs

const pour = (descriptor: number, { bytes, at }: Piece): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, at + done)
}

/**
 * What this process writes to a segment of a journal is lost with it until it is synced, or comes to the disk in part: so a process that is
 * killed leaves what a host leaves that loses its power.
 */
Object.assign(fs, {
  openSync(path: string, flags: number, mode?: number): number {
    const descriptor = openSync(path, flags, mode)
    if (path.endsWith('.seg') && (flags & fs.constants.O_RDWR) !== 0) unsynced.set(descriptor, [])
    return descriptor
  },
  closeSync(descriptor: number): void {
    for (const piece of unsynced.get(descriptor) ?? []) pour(descriptor, piece)
    unsynced.delete(descriptor)
    closeSync(descriptor)
  },
  writeSync(descriptor: number, data: Uint8Array, offset: number, length: number, position: number): number {
    const pieces = unsynced.get(descriptor)
    if (pieces === undefined) return writeSync(descriptor, data, offset, length, position)
    const bytes = Buffer.from(data.subarray(offset, offset + length))
    // the system begins with what it likes, and may be cut off there
    const begun = Math.random() < 0.1 ? Math.floor(Math.random() * length) : 0
    if (begun > 0) writeSync(descriptor, bytes, 0, begun, position)
    pieces.push({ bytes, at: position })
    return length
  },
  ftruncateSync(descriptor: number, size: number): void {
    const pieces = unsynced.get(descriptor)
    if (pieces !== undefined) pieces.length = 0
    ftruncateSync(descriptor, size)
  },
  fdatasync(descriptor: number, done: (error: NodeJS.ErrnoException | null) => void): void {
    const pieces = unsynced.get(descriptor)?.splice(0) ?? []
    setTimeout(() => {
      try {
        for (const piece of pieces) pour(descriptor, piece)
      } catch (error) {
        done(error as NodeJS.ErrnoException)
        return
      }
      fdatasync(descriptor, done)
    }, Math.random() * Number(SYNC_AT_MOST))
  },
})
syncBuiltinESMExports()
