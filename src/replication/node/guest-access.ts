import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReplicationError } from '../replication-error.js'
import type { KeptRecord } from './kept-record.js'

const forced = ' forced'

/**
 * Whether guests may have a group's disks, where a cluster says so. That a cluster does is in the group's record; its leave is a file in the
 * folder of the sockets, and counts for one boot of the host: an agent that begins anew goes on with it, and a host that does has none.
 */
export class GuestAccess {
  readonly #record: KeptRecord
  readonly #path: string
  readonly #boot: string
  #leave: 'none' | 'given' | 'forced'

  constructor(record: KeptRecord, { run, group, boot }: { run: string; group: string; boot: string }) {
    this.#record = record
    this.#path = join(run, `${group}.open`)
    this.#boot = boot
    const text = readLeave(this.#path)
    this.#leave = text === boot ? 'given' : text === `${boot}${forced}` ? 'forced' : 'none'
  }

  /** A cluster says who has its disks. */
  get isManaged(): boolean {
    return this.#record.now.isManaged === true
  }

  get isHeld(): boolean {
    return this.isManaged && this.#leave === 'none'
  }

  /** They may, though another side has taken the group over: an operator says so. */
  get isForced(): boolean {
    return this.isManaged && this.#leave === 'forced'
  }

  /** No guest may from now on; durable when it settles. @throws ReplicationError file-failed */
  async hold(): Promise<void> {
    this.#leave = 'none'
    this.#try(() => rmSync(this.#path, { force: true }))
    if (!this.isManaged) await this.#record.change({ isManaged: true })
  }

  /** @param promotion the number of the promotion @throws ReplicationError file-failed */
  async open(promotion: number, isForced: boolean): Promise<void> {
    await this.#record.change({ isManaged: true, promotion })
    this.#give(isForced ? 'forced' : 'given')
  }

  /** Nobody says who has its disks: guests may. @throws ReplicationError file-failed */
  async release(): Promise<void> {
    await this.#record.change({ isManaged: false })
    this.#leave = 'none'
    this.#try(() => rmSync(this.#path, { force: true }))
  }

  /** The hub takes the group from here: the operator's word has had its effect. */
  endForce(): void {
    if (this.isForced) this.#give('given')
  }

  #give(leave: 'given' | 'forced'): void {
    this.#try(() => {
      // whoever reads has the old one or the new one
      writeFileSync(`${this.#path}.new`, `${this.#boot}${leave === 'forced' ? forced : ''}\n`, { mode: 0o600 })
      renameSync(`${this.#path}.new`, this.#path)
    })
    this.#leave = leave
  }

  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      const why = `${this.#path} cannot be written: ${(error as Error).message}`
      throw new ReplicationError('file-failed', why, { cause: error })
    }
  }
}

/** What cannot be read is no leave. */
function readLeave(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
