import type { Folder } from '#xenlight/replication/folder.js'
import type { Random } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'

class Crashed extends Error {
  override readonly name = 'Crashed'
}

/** A disk in memory whose changes and syncs are counted, and which crashes, or is full, at any of them. */
export class PlayedDisk {
  readonly #disk: MemoryDisk
  operations = 0
  crashAt = Number.POSITIVE_INFINITY
  failAt = Number.POSITIVE_INFINITY
  /** How many fail from there on. */
  failures = 1
  #isCrashed = false

  constructor(disk = new MemoryDisk()) {
    this.#disk = disk
    disk.before = (operation, name) => {
      this.operations++
      if (this.operations >= this.crashAt) this.#isCrashed = true
      if (this.#isCrashed) throw new Crashed(`${operation} ${name}`)
      if (this.operations >= this.failAt && this.operations < this.failAt + this.failures)
        throw Object.assign(new Error(`ENOSPC: ${operation} ${name}`), { code: 'ENOSPC' })
    }
  }

  get isCrashed(): boolean {
    return this.#isCrashed
  }

  get folder(): Folder {
    return this.#disk.folder
  }

  /** What is found after the power failed: what was synced, and any of the rest. */
  afterPowerCut(random: Random): PlayedDisk {
    this.#isCrashed = true
    return new PlayedDisk(this.#disk.crashed(random))
  }

  /** What is found after the process was killed. */
  afterKill(): PlayedDisk {
    this.#isCrashed = true
    return new PlayedDisk(this.#disk.copied())
  }
}
