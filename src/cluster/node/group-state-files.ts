import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { flock } from '../../flock.js'
import { beatInterval, type ServedState, writeState } from './state-file.js'

/** Which service it is: the one beside the guest, or the one with the copies. */
export type Side = 'agent' | 'hub'

/** How long it is waited for the lock, in milliseconds: a process that ends lets go of it. */
const lockTimeout = 2000

export interface GroupStateFilesOptions {
  folder: string
  side: Side
  /** By the groups' names. */
  states: () => ReadonlyMap<string, ServedState>
  /** Is called where they cannot be written; the next time only after they could. */
  failed: (error: Error) => void
}

/** Where a group's state is. */
const groupStateFile = (folder: string, group: string, side: Side): string => join(folder, `${group}.${side}`)

/** The file that a service has locked (flock(2)) until its end. */
export const groupLockFile = (folder: string, side: Side): string => join(folder, `${side}.lock`)

/** The state of each group of a service, as `StateFile` has that of one thing. */
export class GroupStateFiles implements Disposable {
  readonly #options: GroupStateFilesOptions
  readonly #lock: number
  readonly #timer: ReturnType<typeof setInterval>
  #written = new Set<string>()
  #due: NodeJS.Immediate | undefined
  #hasFailed = false

  private constructor(options: GroupStateFilesOptions, lock: number) {
    this.#options = options
    this.#lock = lock
    this.#timer = setInterval(() => this.write(), beatInterval)
    this.write()
  }

  /** @throws Error where another service of that kind has the folder; the system's error */
  static async open(options: GroupStateFilesOptions): Promise<GroupStateFiles> {
    const { folder, side } = options
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = openSync(groupLockFile(folder, side), 'a', 0o600)
    try {
      if (!(await flock(lock, { timeout: lockTimeout })))
        throw new Error(`another process has the state files in ${folder}: end that one, or take another folder`)
      // those of a life before say what is so no more
      for (const file of readdirSync(folder)) if (file.endsWith(`.${side}`)) rmSync(join(folder, file))
      return new GroupStateFiles(options, lock)
    } catch (error) {
      closeSync(lock)
      throw error
    }
  }

  /** Something may have changed: they are written anew, once for all that happens now. */
  changed(): void {
    this.#due ??= setImmediate(() => {
      this.#due = undefined
      this.write()
    })
  }

  /** Says how it is now. */
  write(): void {
    const { folder, side, states, failed } = this.#options
    const now = states()
    try {
      for (const [group, state] of now) writeState(groupStateFile(folder, group, side), state)
      for (const group of this.#written)
        if (!now.has(group)) rmSync(groupStateFile(folder, group, side), { force: true })
      this.#written = new Set(now.keys())
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed) failed(error as Error)
      this.#hasFailed = true
    }
  }

  /** They go with what is served. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    clearImmediate(this.#due)
    const { folder, side } = this.#options
    for (const group of this.#written) rmSync(groupStateFile(folder, group, side), { force: true })
    closeSync(this.#lock)
  }
}
