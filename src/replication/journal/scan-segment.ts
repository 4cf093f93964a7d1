import { Buffer } from 'node:buffer'
import type { OpenFile } from '../folder.js'
import { headerSize, isWhole, type RecordHeader, readHeader, recordSize, storedAtMost } from './record.js'

/** What is read from a file at once, in bytes. More than the largest record. */
const windowSize = 4 * 1024 * 1024
/** How many bytes are held against a checksum at most while a lost record is looked for: a bound for what a guest can make of its data. */
const checkedAtMost = 1024 * 1024 * 1024

export type TakeRecord = (header: RecordHeader, payload: Uint8Array, at: number) => void

/** Reads a file by pieces, so that its records can be looked at in place. */
class Window {
  readonly #file: OpenFile
  readonly #buffer = Buffer.allocUnsafe(windowSize)
  #from = 0
  #filled = 0

  constructor(file: OpenFile) {
    this.#file = file
  }

  /** The bytes from `at` on, at least `length` of them where the file has so many. Good until the next call. */
  bytes(at: number, length: number): Buffer {
    if (at < this.#from || at + length > this.#from + this.#filled) {
      this.#from = at
      this.#filled = this.#file.readInto(at, this.#buffer)
    }
    return this.#buffer.subarray(at - this.#from, this.#filled)
  }
}

export interface ScanResult {
  /** Behind the last whole record, in bytes. */
  end: number
  /** The next position. */
  next: number
  /** It ended at bytes that are no record, or a torn one. */
  isTorn: boolean
}

/**
 * Reads the records of a segment in their order, from the place where position `first` is expected to the first that is not whole, or to
 * position `limit` (which is not taken any more).
 */
export function scanSegment(
  file: OpenFile,
  from: number,
  first: number,
  limit: number,
  seed: number,
  take: TakeRecord,
): ScanResult {
  const window = new Window(file)
  let at = from
  let next = first
  for (; next < limit; next++) {
    const bytes = window.bytes(at, headerSize)
    if (bytes.length === 0) return { end: at, next, isTorn: false }
    const header = readHeader(bytes, 0)
    if (header === undefined || header.position !== next) return { end: at, next, isTorn: true }
    const size = recordSize(header.stored)
    const whole = window.bytes(at, size)
    if (whole.length < size || !isWhole(whole, 0, header.stored, seed)) return { end: at, next, isTorn: true }
    take(header, whole.subarray(headerSize, headerSize + header.stored), at)
    at += size
  }
  return { end: at, next, isTorn: false }
}

/**
 * Looks behind a place where no whole record is for one that begins a later commit: then what is missing was durable once, and the
 * file is damaged. A record that was never durable is followed by none of those.
 */
export function hasLaterCommit(file: OpenFile, from: number, missing: number, seed: number): boolean {
  const window = new Window(file)
  const { size } = file
  let checked = 0
  for (let at = from; at + headerSize <= size; at += 8) {
    const bytes = window.bytes(at, headerSize)
    // Cheap first: almost nothing gets through this.
    if ((bytes[46]! & 2) === 0 || bytes[47] !== 0) continue
    const header = readHeader(bytes, 0)
    if (header === undefined || header.position <= missing || header.position > missing + size / headerSize) continue
    const length = recordSize(header.stored)
    checked += length
    if (checked > checkedAtMost) return true
    const whole = window.bytes(at, length)
    if (whole.length >= length && isWhole(whole, 0, header.stored, seed)) return true
  }
  return false
}

/** Reads one record whole, and checks it. Undefined where it is not what was written. */
export function readRecord(
  file: OpenFile,
  at: number,
  seed: number,
): { header: RecordHeader; payload: Uint8Array } | undefined {
  const head = Buffer.allocUnsafe(headerSize)
  if (file.readInto(at, head) < headerSize) return
  const header = readHeader(head, 0)
  if (header === undefined || header.stored > storedAtMost) return
  const size = recordSize(header.stored)
  const bytes = Buffer.allocUnsafe(size)
  if (file.readInto(at, bytes) < size || !isWhole(bytes, 0, header.stored, seed)) return
  return { header, payload: bytes.subarray(headerSize, headerSize + header.stored) }
}
