import type { Folder, OpenFile } from '../folder.js'

/** Files that are read now and then: those that were used last stay open. */
export class FileCache {
  readonly #folder: Folder
  readonly #atMost: number
  readonly #files = new Map<string, OpenFile>()

  constructor(folder: Folder, atMost: number) {
    this.#folder = folder
    this.#atMost = atMost
  }

  /** Throws the system's error. Good until the next call. */
  get(name: string): OpenFile {
    let file = this.#files.get(name)
    if (file === undefined) {
      file = this.#folder.open(name, 'read')
      if (this.#files.size >= this.#atMost) this.drop(this.#files.keys().next().value!)
    } else this.#files.delete(name)
    this.#files.set(name, file)
    return file
  }

  drop(name: string): void {
    this.#files.get(name)?.close()
    this.#files.delete(name)
  }

  close(): void {
    for (const file of this.#files.values()) file.close()
    this.#files.clear()
  }
}
