import type { DeviceDisk } from '../device-disk.js'
import { configWithDisk } from './config-with-disk.js'

/** A domain's configuration while it is locked. */
export class DomainConfig {
  #text: string
  readonly #write: (text: string) => Promise<void>

  constructor(text: string, write: (text: string) => Promise<void>) {
    this.#text = text
    this.#write = write
  }

  /** Puts a disk in, as it was given, without defaults. One call at a time. */
  async put(disk: DeviceDisk): Promise<void> {
    const text = configWithDisk(this.#text, disk)
    if (text === this.#text) return
    await this.#write(text)
    this.#text = text
  }
}
