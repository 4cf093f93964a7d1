import { Buffer } from 'node:buffer'
import type { Folder } from '../folder.js'
import { fileError } from './file-error.js'
import { decodeRecord, encodeRecord, type GroupRecord, recordAtMost } from './group-record.js'
import { systemCode } from './system-code.js'

const fileName = 'group.json'
const newName = 'group.json.new'

/** A group's record, in the folder of the term: one that is being written takes the place of the former one at once, or not at all. */
export class RecordFile {
  readonly #folder: Folder
  readonly #name: string
  readonly #checkOwner: () => void
  #record: GroupRecord
  #last: Promise<unknown> = Promise.resolve()
  #failure: Error | undefined
  /** There is no file yet. */
  #isNew = false

  private constructor(folder: Folder, record: GroupRecord, checkOwner: () => void) {
    this.#folder = folder
    this.#checkOwner = checkOwner
    this.#name = record.name
    this.#record = record
  }

  /** Undefined where the folder has none. @throws ReplicationError damaged, file-failed */
  static load(folder: Folder, name: string, checkOwner: () => void): RecordFile | undefined {
    const text = readText(folder, name)
    return text === undefined ? undefined : new RecordFile(folder, decodeRecord(text, name), checkOwner)
  }

  /** @throws ReplicationError file-failed, full */
  static async create(folder: Folder, record: GroupRecord, checkOwner: () => void): Promise<RecordFile> {
    const file = new RecordFile(folder, record, checkOwner)
    file.#isNew = true
    await file.save({})
    return file
  }

  /** As it is durable. */
  get record(): Readonly<GroupRecord> {
    return this.#record
  }

  /**
   * Changes the record; settles once that is durable. Until then `record` is the former one.
   *
   * @throws ReplicationError full, file-failed: nothing is changed, or, where the disk fails in the middle of it and then again, it is not
   * known which one it has, and no more is written; owned where another hub has taken the group
   */
  save(change: Partial<GroupRecord>): Promise<void> {
    const saved = this.#last.then(() => this.#write({ ...this.#record, ...change }))
    this.#last = saved.catch(() => {})
    return saved
  }

  async #write(record: GroupRecord): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#checkOwner()
    const failed = (error: unknown) => fileError(`the record of the group ${this.#name} cannot be written`, error)
    let isPut = false
    try {
      await this.#writeNew(record)
      this.#folder.rename(newName, fileName)
      isPut = true
      await this.#folder.sync()
    } catch (error) {
      if (isPut) await this.#takeBack(failed(error))
      throw failed(error)
    }
    this.#record = record
    this.#isNew = false
  }

  /** Puts the former record into the place of one that may be durable or not. Where that fails too, no more is written. */
  async #takeBack(failure: Error): Promise<void> {
    this.#failure = failure
    try {
      if (this.#isNew) this.#folder.remove(fileName)
      else {
        await this.#writeNew(this.#record)
        this.#folder.rename(newName, fileName)
      }
      await this.#folder.sync()
      this.#failure = undefined
    } catch {
      // the failure stays
    }
  }

  async #writeNew(record: GroupRecord): Promise<void> {
    const file = this.#openNew()
    try {
      file.write(0, Buffer.from(encodeRecord(record)))
      await file.sync()
    } finally {
      file.close()
    }
  }

  #openNew() {
    if (this.#folder.list().includes(newName)) this.#folder.remove(newName)
    return this.#folder.open(newName, 'create')
  }
}

function readText(folder: Folder, name: string): string | undefined {
  try {
    const file = folder.open(fileName, 'read')
    try {
      const bytes = Buffer.alloc(Math.min(file.size, recordAtMost))
      return bytes.toString('utf8', 0, file.readInto(0, bytes))
    } finally {
      file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fileError(`the record of the group ${name} cannot be read`, error)
  }
}
