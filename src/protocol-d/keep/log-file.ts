import { Buffer } from 'node:buffer'
import type { FileDone } from '../../keep/keep-host.js'
import type { FileHost } from '../file-host.js'
import { ProtocolDError } from '../protocol-d-error.js'
import { decodeLogHeader, encodeLogHeader, logHeaderSize } from './log-header.js'
import {
  checksumOf,
  decodeHeader,
  encodeRecord,
  isDataWhole,
  type LogEntry,
  type RecordHeader,
  recordHeaderSize,
} from './log-record.js'

/** Where the records begin in the file, in bytes. */
const headerSpace = 4096

/** How long the file is at most, in bytes, of a log of so many. */
export const logFileSize = (logSize: number): number => headerSpace + logSize

const otherLog = 'the log is not the one that the metadata is of: put the right file there, or make the node anew'

/** Where a record is, or goes. */
export interface LogPosition {
  at: number
  sequence: number
  /** The checksum of the header before. */
  previous: number
}

/** Where a log begins, as the metadata says. */
export interface LogStart {
  id: number
  head: number
  sequence: number
  previous: number
}

/** Records one after the other, round and round in a file of bounded size, behind a header that says whose log it is. */
export class LogFile {
  readonly #host: FileHost
  readonly #size: number
  readonly #id: number
  #tail: LogPosition

  /** Begins where a log is known to begin. */
  constructor(host: FileHost, size: number, log: LogStart) {
    this.#host = host
    this.#size = size
    this.#id = log.id
    this.#tail = { at: log.head, sequence: log.sequence, previous: log.previous }
  }

  /** Writes the header of a new log. */
  static create(host: FileHost, id: number, done: FileDone): void {
    host.file({ kind: 'write', file: 'log', offset: 0, data: encodeLogHeader(id) }, error => {
      if (error !== undefined) done(error)
      else host.file({ kind: 'sync', file: 'log' }, done)
    })
  }

  /** Whether the file is this log. */
  check(done: FileDone): void {
    this.#host.file({ kind: 'read', file: 'log', offset: 0, length: logHeaderSize }, (error, bytes) => {
      if (error !== undefined) return done(error)
      if (decodeLogHeader(bytes!) === this.#id) done(undefined)
      else done(new ProtocolDError('file-failed', otherLog))
    })
  }

  /** Where the next record goes. */
  get tail(): LogPosition {
    return this.#tail
  }

  /** What the metadata is to say of a log that begins there. */
  from({ at, sequence, previous }: LogPosition): LogStart {
    return { id: this.#id, head: at, sequence, previous }
  }

  /** Goes back: what was written since follows no record any more. */
  goBackTo(position: LogPosition): void {
    this.#tail = position
  }

  /** How many bytes there are from one position to a later one. */
  distance({ at: from }: LogPosition, { at: to }: LogPosition): number {
    return to >= from ? to - from : this.#size - from + to
  }

  /** How many bytes would be in use, from a position on, with a record of so much data and a commit behind it. */
  usedWith(head: LogPosition, length: number): number {
    const needed = length + 3 * recordHeaderSize
    const left = this.#size - this.#tail.at
    return this.distance(head, this.#tail) + needed + (left < needed ? left : 0)
  }

  /** Writes a record at the tail. @returns where its data is */
  write(entry: LogEntry, done: FileDone): number {
    const length = entry.kind === 'write' ? entry.data.length : 0
    const left = this.#size - this.#tail.at
    if (left < recordHeaderSize) this.#tail = { ...this.#tail, at: 0 }
    else if (left < recordHeaderSize + length) {
      this.#append({ kind: 'wrap' }, done)
      this.#tail = { ...this.#tail, at: 0 }
    }
    return this.#append(entry, done)
  }

  #append(entry: LogEntry, done: FileDone): number {
    const { at: offset, sequence, previous } = this.#tail
    const header = encodeRecord(entry, { id: this.#id, sequence, previous })
    const data = entry.kind === 'write' ? Buffer.concat([header, entry.data]) : header
    this.#host.file({ kind: 'write', file: 'log', offset: headerSpace + offset, data }, done)
    this.#tail = { at: offset + data.length, sequence: sequence + 1, previous: checksumOf(header) }
    return offset + recordHeaderSize
  }

  sync(done: FileDone): void {
    this.#host.file({ kind: 'sync', file: 'log' }, done)
  }

  /** Reads again what a record's data is, by what `write` returned. Fails where it is not what was written. */
  readData(dataAt: number, length: number, done: FileDone): void {
    this.#read(dataAt - recordHeaderSize, recordHeaderSize + length, (error, bytes) => {
      if (error !== undefined) return done(error)
      const header = decodeHeader(bytes!)
      const data = bytes!.subarray(recordHeaderSize)
      if (header?.id === this.#id && isDataWhole(header, data)) done(undefined, data)
      else done(new Error('the log does not hold what was written to it'))
    })
  }

  #read(offset: number, length: number, done: FileDone): void {
    this.#host.file({ kind: 'read', file: 'log', offset: headerSpace + offset, length }, done)
  }

  /** Reads the record at the tail and goes on behind it; gives nothing where none follows there. */
  readNext(
    done: (error: Error | undefined, found?: { header: RecordHeader; data: Uint8Array; dataAt: number }) => void,
  ): void {
    if (this.#size - this.#tail.at < recordHeaderSize) this.#tail = { ...this.#tail, at: 0 }
    const { at, sequence, previous } = this.#tail
    const dataAt = at + recordHeaderSize
    this.#read(at, recordHeaderSize, (error, bytes) => {
      const header = bytes && decodeHeader(bytes)
      if (error !== undefined || header === undefined) return done(error)
      const follows = header.id === this.#id && header.sequence === sequence && header.previous === previous
      const length = header.kind === 'write' ? header.length : 0
      if (!follows || length > this.#size - dataAt) return done(undefined)
      const take = (data: Uint8Array) => {
        const next = header.kind === 'wrap' ? 0 : dataAt + length
        this.#tail = { at: next, sequence: sequence + 1, previous: checksumOf(bytes!) }
        done(undefined, { header, data, dataAt })
      }
      if (length === 0) return take(new Uint8Array(0))
      this.#read(dataAt, length, (failure, data) => {
        if (failure !== undefined || !isDataWhole(header, data!)) done(failure)
        else take(data!)
      })
    })
  }
}
