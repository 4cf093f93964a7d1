import { ReplicationError } from '../replication-error.js'
import type { SegmentStore } from './segment-store.js'
import { hasRoom } from './try-room.js'

/** Whether a journal takes records: one that is full does again when there is room, one whose disk failed does not. */
export class JournalCondition {
  readonly #store: SegmentStore
  readonly #hardBytes: number
  #problem: ReplicationError | undefined

  /** @param hardBytes a journal that is larger takes no more data */
  constructor(store: SegmentStore, hardBytes = Number.POSITIVE_INFINITY) {
    this.#store = store
    this.#hardBytes = hardBytes
  }

  get state(): 'taking' | 'full' | 'failed' {
    if (this.#problem === undefined) return 'taking'
    return this.#problem.code === 'full' ? 'full' : 'failed'
  }

  /** Throws what is wrong, a ReplicationError: `full`, `file-failed`. */
  check(): void {
    if (this.#problem !== undefined) throw this.#problem
  }

  /** Throws a ReplicationError, `full`, from now on, where the limit is reached. @param uncommitted what is not in a segment yet, in bytes */
  checkRoom(uncommitted: number): void {
    const limit = this.#hardBytes
    if (this.#store.size + uncommitted < limit) return
    const why = `the journal has reached its limit of ${limit} bytes, and nothing of it may be folded. Close views, or allow more`
    this.#problem = new ReplicationError('full', why)
    throw this.#problem
  }

  fail(problem: ReplicationError): void {
    this.#problem = problem
  }

  /** Takes records again where it was full, and there is room now. Rejects with a file's error. */
  async tryAgain(): Promise<void> {
    const { size, folder } = this.#store
    const full = this.#problem
    if (full?.code !== 'full' || size >= this.#hardBytes || !(await hasRoom(folder))) return
    // what has happened meanwhile is not made good by room
    if (this.#problem === full) this.#problem = undefined
  }
}
