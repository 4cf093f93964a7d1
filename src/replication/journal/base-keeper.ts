import { randomBytes } from 'node:crypto'
import type { Folder } from '../folder.js'
import { type Base, readBase, writeBase } from './base-file.js'
import { damaged } from './damaged.js'
import { asReplicationError } from './journal-error.js'
import { emptySnapshot } from './journal-state.js'

/** What a journal rests on, as it counts and as it stands in its file, which is written by one at a time. */
export class BaseKeeper {
  readonly #folder: Folder
  #base: Base
  #written: Promise<void> = Promise.resolve()

  /** Reads the base of a journal's folder, or makes one in an empty folder. Throws a ReplicationError: `damaged`; a file's error. */
  static async open(folder: Folder, segments: Folder): Promise<BaseKeeper> {
    return new BaseKeeper(folder, readBase(folder) ?? (await createBase(folder, segments)))
  }

  private constructor(folder: Folder, base: Base) {
    this.#folder = folder
    this.#base = base
  }

  get current(): Base {
    return this.#base
  }

  /** Nothing before this position is offered: it is folded, or being folded. */
  get low(): number {
    const { state, folding = 0 } = this.#base
    return Math.max(state.position, folding)
  }

  /** It counts from this moment on, not only when it is durable. Settles then; rejects with a ReplicationError. */
  changeNow(change: Partial<Base>): Promise<void> {
    this.#base = { ...this.#base, ...change }
    return this.change({})
  }

  /** It counts when it is durable. Settles then; rejects with a ReplicationError. */
  change(change: Partial<Base>): Promise<void> {
    const write = async () => {
      await writeBase(this.#folder, { ...this.#base, ...change })
      // a fold may have begun meanwhile
      this.#base = { ...this.#base, ...change }
    }
    const written = this.#written.then(write)
    this.#written = written.catch(() => {})
    return written.catch(error => Promise.reject(asReplicationError(error)))
  }
}

async function createBase(folder: Folder, segments: Folder): Promise<Base> {
  if (segments.list().length > 0) throw damaged('there are segments, but no base.json')
  const base: Base = { version: 1, seed: randomBytes(4).readUInt32LE(0), state: emptySnapshot, kept: [] }
  await folder.sync()
  await writeBase(folder, base)
  return base
}
