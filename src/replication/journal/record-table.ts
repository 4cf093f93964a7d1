import { Buffer } from 'node:buffer'
import { headerSize, type RecordHeader, readHeader, writeHeader } from './record.js'

const offeredFlag = 0x80

/** A line of the table. */
export interface TableRecord extends RecordHeader {
  /** Where it is in its segment, in bytes. */
  at: number
  /** It is a point that is offered, if no rewind undid it. */
  isOffered: boolean
}

/** The headers of a segment's records, in their order: the same 48 bytes, but for the place in the segment in place of the checksum. */
export class RecordTable {
  readonly first: number
  #bytes: Buffer
  #count: number

  constructor(first: number, bytes: Buffer = Buffer.alloc(0)) {
    this.first = first
    this.#bytes = bytes
    this.#count = bytes.length / headerSize
  }

  get count(): number {
    return this.#count
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#count * headerSize)
  }

  add(header: RecordHeader, at: number, isOffered: boolean): void {
    const begin = this.#count * headerSize
    if (begin + headerSize > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(16 * 1024, 2 * this.#bytes.length))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    writeHeader(this.#bytes, begin, header)
    this.#bytes.writeUInt32LE(at, begin)
    if (isOffered) this.#bytes[begin + 46]! |= offeredFlag
    this.#count++
  }

  /** The record of a position that is in it. */
  record(position: number): TableRecord {
    const begin = (position - this.first) * headerSize
    const line = Buffer.from(this.#bytes.subarray(begin, begin + headerSize))
    const isOffered = (line[46]! & offeredFlag) !== 0
    line[46]! &= ~offeredFlag
    const header = readHeader(line, 0)
    if (header === undefined) throw new RangeError('the table of records has no such position')
    return { ...header, at: line.readUInt32LE(0), isOffered }
  }

  isOffered(position: number): boolean {
    return (this.#bytes[(position - this.first) * headerSize + 46]! & offeredFlag) !== 0
  }

  time(position: number): number {
    const begin = (position - this.first) * headerSize + 24
    return this.#bytes.readUInt32LE(begin) + this.#bytes.readUInt32LE(begin + 4) * 0x100000000
  }

  /** Positions, from the first through the last. */
  *records(from = this.first, through = this.first + this.#count - 1): Generator<TableRecord, void, undefined> {
    const end = Math.min(through, this.first + this.#count - 1)
    for (let position = Math.max(from, this.first); position <= end; position++) yield this.record(position)
  }
}
