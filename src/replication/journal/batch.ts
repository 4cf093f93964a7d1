import { Buffer } from 'node:buffer'
import { encodeRecord, type RecordHeader, recordSize, storedAtMost } from './record.js'

/** Larger than any record. */
const chunkSize = 4 * 1024 * 1024
/** How many chunks are kept for later, over all journals of the process. */
const sparesAtMost = 8
const spares: Buffer[] = []

const takeChunk = (): Buffer => spares.pop() ?? Buffer.allocUnsafeSlow(chunkSize)

export interface BatchRecord {
  header: RecordHeader
  /** Of a mark; empty of data. */
  payload: Uint8Array
  /** From the batch's begin, in bytes. */
  at: number
}

const nothing = new Uint8Array(0)

/** Records that are to be durable together, encoded as they come. */
export class Batch {
  readonly records: BatchRecord[] = []
  readonly #chunks: { bytes: Buffer; used: number }[] = []
  readonly #seed: number
  #size = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** In bytes. */
  get size(): number {
    return this.#size
  }

  get isEmpty(): boolean {
    return this.records.length === 0
  }

  /** @param keeps whether the payload is wanted when the record is durable */
  add(header: RecordHeader, payload: Uint8Array, keeps: boolean): void {
    if (payload.length > storedAtMost) throw new RangeError('a record is larger than records may be')
    const size = recordSize(payload.length)
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || chunk.used + size > chunkSize) {
      chunk = { bytes: takeChunk(), used: 0 }
      this.#chunks.push(chunk)
    }
    chunk.used = encodeRecord(chunk.bytes, chunk.used, header, payload, this.#seed)
    this.records.push({ header, payload: keeps ? payload : nothing, at: this.#size })
    this.#size += size
  }

  /** Its bytes, in pieces. */
  *pieces(): Generator<Uint8Array, void, undefined> {
    for (const { bytes, used } of this.#chunks) yield bytes.subarray(0, used)
  }

  /** Its bytes are not needed any more. */
  release(): void {
    for (const { bytes } of this.#chunks.splice(0)) if (spares.length < sparesAtMost) spares.push(bytes)
  }
}
