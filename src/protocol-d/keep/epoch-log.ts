import { repeat } from '../../keep/repeat.js'
import type { FileHost } from '../file-host.js'
import { LogFile, type LogPosition } from './log-file.js'
import type { LogEntry } from './log-record.js'
import type { Metadata } from './metadata.js'

type Done = (error?: Error) => void
/** What can be appended. */
export type EpochEntry = Exclude<LogEntry, { kind: 'commit' | 'wrap' }>

/** An entry that was not applied yet. */
interface Pending {
  offset: number
  length: number
  /** Undefined for zeroes, and where it is in the log only. */
  data: Uint8Array | undefined
  /** Where it is in the log; undefined for zeroes. */
  dataAt: number | undefined
}

/** How many entries may wait: each costs memory, however small it is. */
const entriesAtMost = 2 ** 21

/** What was committed together. */
interface Batch {
  entries: Pending[]
  end: LogPosition
  isDurable: boolean
}

export interface EpochLogOptions {
  /** How many bytes of data are kept in memory as well, until they are applied; what is above that is read again. */
  memory: number
  /** What was committed cannot be applied. After a restart it is tried again. */
  failed(error: Error): void
}

/**
 * The epochs that a node received. What is appended waits; a commit makes all before it count, and from then on it is applied to the
 * disk, in order, also after a crash. What was not committed can be discarded.
 */
export class EpochLog {
  readonly #host: FileHost
  readonly #metadata: Metadata
  readonly #options: EpochLogOptions
  readonly #size: number
  readonly #file: LogFile
  /** All before it is applied, as the metadata says on the disk. */
  #head: LogPosition
  /** All before it is applied. */
  #applied: LogPosition
  /** Behind the last commit. */
  #committed: LogPosition
  #open: Pending[] = []
  readonly #batches: Batch[] = []
  #memory = 0
  /** How many wait, open or committed. */
  #entries = 0
  #isApplying = false
  #isSaving = false
  #failure: Error | undefined
  #whenApplied: Done[] = []
  #whenRoom: Done[] = []

  constructor(host: FileHost, metadata: Metadata, options: EpochLogOptions) {
    const { logSize, log } = metadata.record
    this.#host = host
    this.#metadata = metadata
    this.#options = options
    this.#size = logSize
    this.#file = new LogFile(host, logSize, log)
    this.#head = this.#file.tail
    this.#applied = this.#head
    this.#committed = this.#head
  }

  /** How many entries wait for a commit. */
  get openEntries(): number {
    return this.#open.length
  }

  /** How many bytes of the log those take that wait for a commit. */
  get openBytes(): number {
    return this.#file.distance(this.#committed, this.#file.tail)
  }

  /** Reads what a crash left: what was committed is applied, the rest discarded. Gives the last checkpoint that was committed. */
  recover(done: (error: Error | undefined, checkpoint?: number) => void): void {
    this.#file.check(error => (error !== undefined ? done(error) : this.#recover(done)))
  }

  #recover(done: (error: Error | undefined, checkpoint?: number) => void): void {
    let checkpoint: number | undefined
    const read = (again: () => void) =>
      this.#file.readNext((error, found) => {
        if (error !== undefined) return done(error)
        if (found === undefined) {
          this.discard()
          this.drain(failure => done(failure, checkpoint))
          return
        }
        const { header, data, dataAt } = found
        const { kind, offset, length } = header
        if (kind === 'write') this.#add({ kind, offset, data }, dataAt)
        else if (kind === 'zero') this.#add({ kind, offset, length }, undefined)
        else if (kind === 'commit') {
          checkpoint = Math.max(checkpoint ?? 0, offset)
          this.#close().isDurable = true
          this.#apply()
        }
        again()
      })
    repeat(read)
  }

  /** Whether an entry with so much data has room now. */
  hasRoom(length: number): boolean {
    return this.#entries < entriesAtMost && this.#file.usedWith(this.#head, length) < this.#size
  }

  /** Whether it would have room if all that is committed were applied; where not, this epoch is too large. */
  canHaveRoom(length: number): boolean {
    return this.#open.length < entriesAtMost && this.#file.usedWith(this.#committed, length) < this.#size
  }

  /** Calls back when something was applied, and there is more room. */
  whenRoom(done: Done): void {
    this.#whenRoom.push(done)
    this.#saveHead()
  }

  /** Appends an entry, for which there is room. @param done when it is written; only a commit makes it durable */
  append(entry: EpochEntry, done: Done): void {
    const dataAt = this.#file.write(entry, error => {
      // a log with a hole is read no further than that: nothing behind it counts
      if (error !== undefined) this.#fail(error)
      done(error)
    })
    this.#add(entry, entry.kind === 'write' ? dataAt : undefined)
  }

  /** Commits what was appended; calls back when that is durable. */
  commit(checkpoint: number, done: Done): void {
    if (this.#failure !== undefined) {
      done(this.#failure)
      return
    }
    let failure: Error | undefined
    this.#file.write({ kind: 'commit', checkpoint }, error => {
      failure ??= error
      // nothing behind a hole counts
      if (error !== undefined) this.#fail(error)
    })
    const batch = this.#close()
    this.#file.sync(error => {
      failure ??= error ?? this.#failure
      if (failure !== undefined) return done(failure)
      batch.isDurable = true
      done()
      this.#apply()
    })
  }

  /** Forgets what was not committed. */
  discard(): void {
    for (const { data } of this.#open) this.#memory -= data?.length ?? 0
    this.#entries -= this.#open.length
    this.#open = []
    this.#file.goBackTo(this.#committed)
  }

  /** Calls back when all that was committed is applied, so that reads see it. */
  whenApplied(done: Done): void {
    if (this.#failure !== undefined) done(this.#failure)
    else if (this.#batches.length === 0) done()
    else this.#whenApplied.push(done)
  }

  /** Calls back when all that was committed is applied, and no crash will apply it again: others may write to the disk then. */
  drain(done: Done): void {
    this.whenApplied(error => {
      if (error !== undefined) done(error)
      else this.#keepHead(done)
    })
  }

  #add(entry: EpochEntry, dataAt: number | undefined): void {
    const { offset } = entry
    this.#entries++
    if (entry.kind === 'zero') {
      this.#open.push({ offset, length: entry.length, data: undefined, dataAt })
      return
    }
    const { length } = entry.data
    const isKept = this.#memory + length <= this.#options.memory
    if (isKept) this.#memory += length
    // its bytes are the sender's to reuse
    this.#open.push({ offset, length, data: isKept ? new Uint8Array(entry.data) : undefined, dataAt })
  }

  /** What is open becomes a batch. */
  #close(): Batch {
    const batch: Batch = { entries: this.#open, end: this.#file.tail, isDurable: false }
    this.#open = []
    this.#committed = this.#file.tail
    this.#batches.push(batch)
    return batch
  }

  #apply(): void {
    const [batch] = this.#batches
    if (this.#isApplying || this.#failure !== undefined || !batch?.isDurable) return
    this.#isApplying = true
    let index = 0
    repeat(again => {
      const entry = batch.entries[index++]
      if (entry === undefined) {
        this.#appliedBatch(batch)
        return
      }
      this.#applyEntry(entry, error => {
        if (error !== undefined) this.#fail(error)
        else again()
      })
    })
  }

  #applyEntry({ offset, length, data, dataAt }: Pending, done: Done): void {
    const write = (bytes: Uint8Array) => this.#host.file({ kind: 'write', file: 'data', offset, data: bytes }, done)
    if (dataAt === undefined) this.#host.file({ kind: 'zero', file: 'data', offset, length }, done)
    else if (data !== undefined) {
      this.#memory -= length
      write(data)
    } else
      this.#file.readData(dataAt, length, (error, bytes) => {
        if (error !== undefined) done(error)
        else write(bytes!)
      })
  }

  #appliedBatch(batch: Batch): void {
    this.#batches.shift()
    this.#entries -= batch.entries.length
    this.#applied = batch.end
    this.#isApplying = false
    if (this.#batches.length === 0) for (const done of this.#whenApplied.splice(0)) done()
    if (this.#whenRoom.length > 0 || this.#file.distance(this.#head, this.#applied) > this.#size / 4) this.#saveHead()
    this.#apply()
  }

  #saveHead(): void {
    if (this.#isSaving || this.#head.sequence === this.#applied.sequence) return
    this.#isSaving = true
    this.#keepHead(error => {
      this.#isSaving = false
      if (error !== undefined) this.#fail(error)
      for (const done of this.#whenRoom.splice(0)) done(error)
    })
  }

  /** The log begins behind what is applied: what is before is used again. */
  #keepHead(done: Done): void {
    const applied = this.#applied
    this.#host.file({ kind: 'sync', file: 'data' }, error => {
      if (error !== undefined) return done(error)
      // another one may have come further meanwhile: what is applied before it is not applied again
      const isNewest = applied.sequence >= this.#metadata.record.log.sequence
      this.#metadata.save(isNewest ? { log: this.#file.from(applied) } : {}, failure => {
        if (failure === undefined && applied.sequence > this.#head.sequence) this.#head = applied
        done(failure)
      })
    })
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    for (const done of this.#whenApplied.splice(0)) done(error)
    for (const done of this.#whenRoom.splice(0)) done(error)
    this.#options.failed(error)
  }
}
