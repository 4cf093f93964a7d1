import { Buffer } from 'node:buffer'
import { inflateRawSync } from 'node:zlib'
import { damaged } from './damaged.js'
import { Lru } from './lru.js'
import { headerSize, isWhole, type RecordHeader, readHeader, recordSize } from './record.js'
import { segmentName } from './segment-header.js'
import type { SegmentStore } from './segment-store.js'

/** What is read of a record at first: most are not larger. */
const firstRead = 16 * 1024
const checkedAtMost = 16 * 1024
const inflatedAtMost = 16 * 1024 * 1024

/** Reads parts of the data of records. A record is held against its checksum before the first part of it is given. */
export class RecordReader {
  readonly #store: SegmentStore
  readonly #first = Buffer.allocUnsafeSlow(firstRead)
  /** Large records that were found whole. */
  readonly #checked = new Lru<string, true>(checkedAtMost)
  readonly #inflated = new Lru<string, Uint8Array>(inflatedAtMost)

  constructor(store: SegmentStore) {
    this.#store = store
  }

  /** @param skip how far in the record's data it begins, in bytes */
  copy(segment: number, at: number, skip: number, target: Uint8Array): void {
    const key = `${segment}:${at}`
    const inflated = this.#inflated.get(key)
    if (inflated !== undefined) {
      target.set(inflated.subarray(skip, skip + target.length))
      return
    }
    const file = this.#store.segmentFile(segment)
    if (this.#checked.get(key) !== undefined) {
      if (file.readInto(at + headerSize + skip, target) < target.length) throw this.#lost(segment, at)
      return
    }
    const read = file.readInto(at, this.#first)
    const bytes = this.#first.subarray(0, read)
    const header = readHeader(bytes, 0)
    if (header === undefined) throw this.#lost(segment, at)
    const size = recordSize(header.stored)
    let whole = bytes
    if (size > firstRead) {
      whole = Buffer.allocUnsafe(size)
      if (file.readInto(at, whole) < size) throw this.#lost(segment, at)
    }
    if (whole.length < size || !isWhole(whole, 0, header.stored, this.#store.seed)) throw this.#lost(segment, at)
    if (size > firstRead && !header.isDeflated) this.#checked.set(key, true, 1)
    const data = this.#data(key, header, whole.subarray(headerSize, headerSize + header.stored))
    target.set(data.subarray(skip, skip + target.length))
  }

  #data(key: string, header: RecordHeader, payload: Uint8Array): Uint8Array {
    if (!header.isDeflated) return payload
    const data = inflateRawSync(payload, { maxOutputLength: header.length })
    this.#inflated.set(key, data, data.length)
    return data
  }

  #lost(segment: number, at: number): Error {
    return damaged(`the record at byte ${at} of ${segmentName(segment)} is not what was written`)
  }
}
