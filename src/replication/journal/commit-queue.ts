import type { ReplicationError } from '../replication-error.js'
import { Batch } from './batch.js'
import { asReplicationError } from './journal-error.js'
import type { JournalState } from './journal-state.js'
import type { RecordHeader } from './record.js'
import { encodeSegmentHeader, segmentName } from './segment-header.js'
import { SegmentIndex } from './segment-index.js'
import type { CurrentSegment, SegmentStore } from './segment-store.js'

export interface CommitQueueParts {
  store: SegmentStore
  /** What is known behind the last durable record; it goes on here. */
  durable: JournalState
  segmentSize: number
  nextNumber: number
  /** The journal's own clock. */
  now?: (() => number) | undefined
  /** A record is durable. */
  onRecord: (header: RecordHeader, payload: Uint8Array) => void
  /** What was not durable yet is not there any more. */
  onLost: (error: ReplicationError) => void
}

interface Waiting {
  promise: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
}

/** Records on their way to the disk: while some are being made durable, the next ones are collected. */
export class CommitQueue {
  readonly #parts: CommitQueueParts
  #nextNumber: number
  #collecting: Batch
  /** Those who wait for what is being collected. */
  #wanted: Waiting | undefined
  /** What is being made durable. */
  #underWay: { batch: Batch; done: Promise<void> } | undefined
  /** Something was lost that nobody waited for yet. */
  #lost: ReplicationError | undefined

  constructor(parts: CommitQueueParts) {
    this.#parts = parts
    this.#nextNumber = parts.nextNumber
    this.#collecting = new Batch(parts.store.seed)
  }

  /** What is not durable yet, in bytes. */
  get size(): number {
    return this.#collecting.size + (this.#underWay?.batch.size ?? 0)
  }

  /** Whether the next record will be the first of a commit. */
  get isEmpty(): boolean {
    return this.#collecting.isEmpty
  }

  add(header: RecordHeader, payload: Uint8Array, keeps: boolean): void {
    this.#collecting.add(header, payload, keeps)
  }

  /** Settles when all that was added is durable. */
  commit(): Promise<void> {
    if (this.#lost !== undefined) {
      const lost = this.#lost
      this.#drop(lost)
      return Promise.reject(lost)
    }
    if (this.#collecting.isEmpty) return this.#underWay?.done ?? Promise.resolve()
    this.#wanted ??= waiting()
    const { promise } = this.#wanted
    if (this.#underWay === undefined) void this.#run()
    return promise
  }

  /** Settles when nothing is under way, however it ended. */
  async idle(): Promise<void> {
    while (this.#underWay !== undefined) await this.#underWay.done.catch(() => {})
  }

  async #run(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== undefined; wanted = this.#wanted) {
      const batch = this.#collecting
      this.#wanted = undefined
      this.#underWay = { batch, done: wanted.promise }
      this.#collecting = new Batch(this.#parts.store.seed)
      try {
        await this.#write(batch)
      } catch (error) {
        this.#lose(asReplicationError(error), wanted)
        return
      } finally {
        batch.release()
        this.#underWay = undefined
      }
      wanted.resolve()
    }
  }

  #lose(error: ReplicationError, wanted: Waiting): void {
    const behind = this.#wanted
    const isUnnoticed = behind === undefined && !this.#collecting.isEmpty
    this.#drop(error)
    if (isUnnoticed) this.#lost = error
    wanted.reject(error)
    behind?.reject(error)
  }

  #drop(error: ReplicationError): void {
    this.#collecting.release()
    this.#collecting = new Batch(this.#parts.store.seed)
    this.#wanted = undefined
    this.#lost = undefined
    this.#parts.onLost(error)
  }

  async #write(batch: Batch): Promise<void> {
    const { store, durable, segmentSize, onRecord } = this.#parts
    const isNew = store.current === undefined
    let begin = 0
    try {
      const current = store.current ?? this.#begin()
      begin = current.length
      let at = begin
      for (const piece of batch.pieces()) {
        current.file.write(at, piece)
        at += piece.length
      }
      await allOf(isNew ? [current.file.sync(), store.folder.sync()] : [current.file.sync()])
      current.length = at
    } catch (error) {
      this.#giveUp()
      throw error
    }
    const current = store.current!
    for (const { header, payload, at } of batch.records) {
      current.index.add(header, payload, begin + at, durable.apply(header, payload))
      onRecord(header, payload)
    }
    if (current.length < segmentSize) return
    store.current = undefined
    store.seal(current)
  }

  #begin(): CurrentSegment {
    const { store, durable, now } = this.#parts
    const number = this.#nextNumber++
    const first = durable.position + 1
    const begun = now?.()
    const file = store.folder.open(segmentName(number), 'create')
    const current = { number, file, index: new SegmentIndex(first, durable, begun), length: 0 }
    store.current = current
    const header = encodeSegmentHeader({ number, first, state: durable.snapshot, begun }, store.seed)
    file.write(0, header)
    current.length = header.length
    return current
  }

  /** Nobody knows what is on the disk behind the last durable record: nothing is written to that segment any more. The next one says where it begins. */
  #giveUp(): void {
    const { store } = this.#parts
    const { current } = store
    store.current = undefined
    if (current === undefined) return
    if (current.index.table.count > 0) {
      tryTo(() => current.file.truncate(current.length))
      store.seal(current)
    } else {
      current.file.close()
      tryTo(() => store.folder.remove(segmentName(current.number)))
    }
  }
}

function waiting(): Waiting {
  let resolve = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Waits for all, also where one fails. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason
}

function tryTo(action: () => void): void {
  try {
    action()
  } catch {
    // It saves room, and takes away what a sync that failed may have left in the page cache only; nobody relies on it.
  }
}
