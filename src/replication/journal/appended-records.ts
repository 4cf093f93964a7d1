import type { ReplicationError } from '../replication-error.js'
import { CommitQueue, type CommitQueueParts } from './commit-queue.js'
import { JournalState } from './journal-state.js'
import { encodeJson, isData, type RecordHeader, type RecordKind } from './record.js'

/** What a record says, but for where it comes to stand. */
type RecordContent = Omit<RecordHeader, 'position' | 'stored' | 'beginsCommit'>

/** The records that were appended to a journal, and what is known behind the last of them, be they durable or not. */
export class AppendedRecords {
  readonly #durable: JournalState
  readonly #queue: CommitQueue
  #state: JournalState

  constructor(parts: CommitQueueParts) {
    const { durable, onLost } = parts
    this.#durable = durable
    this.#state = new JournalState(durable.snapshot)
    this.#queue = new CommitQueue({ ...parts, onLost: error => this.#lose(error, onLost) })
  }

  /** What is known behind the last one. */
  get state(): JournalState {
    return this.#state
  }

  /** What is not durable yet, in bytes. */
  get uncommittedBytes(): number {
    return this.#queue.size
  }

  append({ kind, volume, offset, length, isDeflated, time, sequence }: RecordContent, payload: Uint8Array): void {
    // field by field: to copy an object costs as much as all else here
    const position = this.#state.position + 1
    const stored = payload.length
    const beginsCommit = this.#queue.isEmpty
    const header = { position, sequence, time, kind, volume, offset, length, stored, isDeflated, beginsCommit }
    this.#queue.add(header, payload, !isData(header.kind))
    this.#state.apply(header, payload)
  }

  /** A record without data of a volume, whose payload is JSON. */
  appendMark(
    kind: RecordKind,
    json: unknown,
    { volume = 0, offset = 0, time = this.#state.time }: { volume?: number; offset?: number; time?: number } = {},
  ): void {
    this.append({ kind, volume, offset, time, length: 0, isDeflated: false, sequence: 0 }, encodeJson(json))
  }

  /** Settles when all that was appended is durable. Rejects with a ReplicationError: then what was not durable before is lost. */
  commit(): Promise<void> {
    return this.#queue.commit()
  }

  /** Settles when nothing is on its way to the disk, however it ended. */
  idle(): Promise<void> {
    return this.#queue.idle()
  }

  #lose(error: ReplicationError, onLost: CommitQueueParts['onLost']): void {
    this.#state = new JournalState(this.#durable.snapshot)
    onLost(error)
  }
}
