/**
 * A folder of the file system, as a hub uses one. Reads and writes are done at once, in the page cache; what waits for the disk is a sync.
 * Everything may throw, or reject with, the system's error.
 */
export interface Folder {
  /** The names of its files, in any order. */
  list(): readonly string[]
  /** The names of its folders, in any order. */
  folders(): readonly string[]
  /** A folder in it, which is made where it is not there. */
  folder(name: string): Folder
  /** `write` and `read` fail with ENOENT where there is no such file, `create` with EEXIST where there is one. */
  open(name: string, how: 'read' | 'write' | 'create'): OpenFile
  /** Takes the place of a file that has the new name. */
  rename(from: string, to: string): void
  /** A file, or a folder with all that is in it. */
  remove(name: string): void
  /** Settles when the names in it are durable. */
  sync(): Promise<void>
}

export interface OpenFile {
  /** In bytes. */
  readonly size: number
  /** How many bytes there were from `offset` on. */
  readInto(offset: number, target: Uint8Array): number
  /** Writes all of it. */
  write(offset: number, data: Uint8Array): void
  truncate(size: number): void
  /** Settles when all that was written before is durable. One that failed is not forgotten: all later ones fail too. */
  sync(): Promise<void>
  close(): void
}
