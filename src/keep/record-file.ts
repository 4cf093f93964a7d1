import type { KeepHost } from './keep-host.js'
import { decodeSlot, encodeSlot, slotSize } from './record-slot.js'

type Done = (error?: Error) => void

/** The record in the metadata's file: two slots that are written by turns, so that one of them is whole. */
export class RecordFile<Kept extends object> {
  /** How much of the file they are, in bytes, from its beginning. */
  static readonly size = 2 * slotSize
  readonly #host: KeepHost
  #record: Kept
  #turn: number
  #waiting: Done[] = []
  #isSaving = false

  private constructor(host: KeepHost, record: Kept, turn: number) {
    this.#host = host
    this.#record = record
    this.#turn = turn
  }

  /** Writes both slots, so that none of an earlier disk is left. */
  static create<Kept extends object>(host: KeepHost, record: Kept, done: Done): void {
    const file = new RecordFile(host, record, 0)
    file.save({}, error => (error !== undefined ? done(error) : file.save({}, done)))
  }

  /** Reads what was written last: nothing where there is none, or neither place is whole. Fails with the file's error. */
  static load<Kept extends object>(
    host: KeepHost,
    done: (error: Error | undefined, file?: RecordFile<Kept>) => void,
  ): void {
    host.file({ kind: 'read', file: 'meta', offset: 0, length: RecordFile.size }, (error, bytes) => {
      if (error !== undefined) return done(error)
      const slots = [decodeSlot<Kept>(bytes!.subarray(0, slotSize)), decodeSlot<Kept>(bytes!.subarray(slotSize))]
      const [slot] = slots.filter(one => one !== undefined).sort((a, b) => b.turn - a.turn)
      done(undefined, slot && new RecordFile(host, slot.record, slot.turn))
    })
  }

  /** As it is, or will be once it is written. */
  get record(): Readonly<Kept> {
    return this.#record
  }

  /** Changes the record, which is written with the next change that has to be durable. */
  note(change: Partial<Kept>): void {
    this.#record = { ...this.#record, ...change }
  }

  /** Changes the record; calls back once that is durable. What is changed meanwhile is written together. */
  save(change: Partial<Kept>, done: Done): void {
    this.note(change)
    this.#waiting.push(done)
    if (!this.#isSaving) this.#saveNext()
  }

  #saveNext(): void {
    const saved = this.#waiting
    this.#waiting = []
    this.#isSaving = true
    const data = encodeSlot(this.#record, ++this.#turn)
    const through: Done = error => {
      this.#isSaving = false
      // what was to follow it would be written in the wrong order
      if (error !== undefined) saved.push(...this.#waiting.splice(0))
      // first, as those who called may save again
      else if (this.#waiting.length > 0) this.#saveNext()
      for (const save of saved) save(error)
    }
    this.#host.file({ kind: 'write', file: 'meta', offset: (this.#turn % 2) * slotSize, data }, error => {
      if (error !== undefined) through(error)
      else this.#host.file({ kind: 'sync', file: 'meta' }, through)
    })
  }
}
