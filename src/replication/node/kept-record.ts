import type { Folder } from '../folder.js'
import { ReplicationError } from '../replication-error.js'
import { type AgentRecord, openRecord, saveRecord } from './agent-record.js'

/** A group's record, and its file behind it: changes are written one after the other. */
export class KeptRecord {
  readonly #folder: Folder
  readonly #group: string
  /** The volumes of which nothing is known: new ones, and those that are left out. */
  readonly unknown: readonly string[]
  #now: AgentRecord
  #saving: Promise<void> = Promise.resolve()

  private constructor(folder: Folder, group: string, { record, unknown }: Awaited<ReturnType<typeof openRecord>>) {
    this.#folder = folder
    this.#group = group
    this.#now = record
    this.unknown = unknown
  }

  /** @throws ReplicationError damaged, wrong-state; the system's error */
  static async open(folder: Folder, group: string, names: readonly string[]): Promise<KeptRecord> {
    return new KeptRecord(folder, group, await openRecord(folder, group, names))
  }

  get now(): Readonly<AgentRecord> {
    return this.#now
  }

  /** Changes it at once; durable when it settles. @throws the system's error: it is changed all the same, but for the file */
  save(change: Partial<AgentRecord>): Promise<void> {
    this.#now = { ...this.#now, ...change }
    const saved = this.#saving.then(() => saveRecord(this.#folder, this.#now))
    this.#saving = saved.catch(() => {})
    return saved
  }

  /** Changes it durably, or not at all. @throws ReplicationError file-failed */
  async change(change: Partial<AgentRecord>): Promise<void> {
    const before = Object.fromEntries(Object.keys(change).map(key => [key, this.#now[key as keyof AgentRecord]]))
    try {
      await this.save(change)
    } catch (error) {
      await this.save(before).catch(() => {})
      const why = `the agent's record of ${this.#group} cannot be written: ${(error as Error).message}`
      throw new ReplicationError('file-failed', why, { cause: error })
    }
  }

  /** Settles when nothing is being written. */
  async settled(): Promise<void> {
    await this.#saving
  }
}
