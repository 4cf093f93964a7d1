import { Buffer } from 'node:buffer'
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { printable } from '../../printable.js'
import type { Folder, OpenFile } from '../folder.js'
import { ReplicationError } from '../replication-error.js'

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants

/** No link in the place of what is ours is followed, and nothing waits at a FIFO. */
const ours = O_NOFOLLOW | O_NONBLOCK
const flags = { read: O_RDONLY | ours, write: O_RDWR | ours, create: O_RDWR | O_CREAT | O_EXCL | ours } as const

/** How long a name may be, in bytes. */
const nameAtMost = 255

/** A folder of the file system. What it makes is for this user alone; names that lead elsewhere are refused: ReplicationError bad-name. */
export class NodeFolder implements Folder {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Opens a folder, through links too; it is made where it is not there, in one that is. @throws the system's error */
  static open(path: string): NodeFolder {
    makeFolder(path)
    const real = realpathSync(path)
    checkFolder(real)
    return new NodeFolder(real)
  }

  list(): readonly string[] {
    return this.#names(entry => entry.isFile())
  }

  folders(): readonly string[] {
    return this.#names(entry => entry.isDirectory())
  }

  folder(name: string): NodeFolder {
    const path = this.#pathOf(name)
    makeFolder(path)
    checkFolder(path)
    return new NodeFolder(path)
  }

  open(name: string, how: 'read' | 'write' | 'create'): OpenFile {
    const path = this.#pathOf(name)
    const descriptor = openSync(path, flags[how], 0o600)
    if (fstatSync(descriptor).isFile()) return new NodeFile(descriptor)
    closeSync(descriptor)
    throw systemError('EINVAL', `${path} is no file`)
  }

  rename(from: string, to: string): void {
    renameSync(this.#pathOf(from), this.#pathOf(to))
  }

  remove(name: string): void {
    rmSync(this.#pathOf(name), { recursive: true })
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      open(this.#path, O_RDONLY | O_DIRECTORY, (failed, descriptor) => {
        if (failed !== null) reject(failed)
        else
          fsync(descriptor, error => {
            closeSync(descriptor)
            // some file systems know no sync of folders, and need none
            if (error === null || error.code === 'EINVAL') resolve()
            else reject(error)
          })
      })
    })
  }

  #names(isWanted: (entry: { isFile(): boolean; isDirectory(): boolean }) => boolean): string[] {
    return readdirSync(this.#path, { withFileTypes: true })
      .filter(isWanted)
      .map(({ name }) => name)
  }

  #pathOf(name: string): string {
    const isName = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)
    if (isName && Buffer.byteLength(name) <= nameAtMost) return join(this.#path, name)
    throw new ReplicationError('bad-name', `'${printable(name.slice(0, 80))}' is no name of a file`)
  }
}

class NodeFile implements OpenFile {
  readonly #descriptor: number
  /** Those who wait for the next sync while one is under way. */
  #waiting: ((error: Error | undefined) => void)[] | undefined
  #failed: Error | undefined
  #isClosed = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get size(): number {
    return fstatSync(this.#open()).size
  }

  readInto(offset: number, target: Uint8Array): number {
    const descriptor = this.#open()
    let at = 0
    while (at < target.length) {
      const count = readSync(descriptor, target, at, target.length - at, offset + at)
      if (count === 0) break
      at += count
    }
    return at
  }

  write(offset: number, data: Uint8Array): void {
    const descriptor = this.#open()
    for (let at = 0; at < data.length; ) at += writeSync(descriptor, data, at, data.length - at, offset + at)
  }

  truncate(size: number): void {
    ftruncateSync(this.#open(), size)
  }

  /** One at a time; those that wait for the next one share it. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | undefined) => (error === undefined ? resolve() : reject(error))
      if (this.#isClosed) done(closedError())
      else if (this.#waiting === undefined) this.#syncNow([done])
      else this.#waiting.push(done)
    })
  }

  /** What is being synced is waited for: its descriptor must not be another file's by then. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#waiting === undefined) closeSync(this.#descriptor)
  }

  #syncNow(all: readonly ((error: Error | undefined) => void)[]): void {
    const waiting: ((error: Error | undefined) => void)[] = []
    this.#waiting = waiting
    fdatasync(this.#descriptor, error => {
      // what the system was to write may be lost, and a second sync would not say so
      if (error !== null) this.#failed ??= error
      if (waiting.length > 0) this.#syncNow(waiting)
      else {
        this.#waiting = undefined
        if (this.#isClosed) closeSync(this.#descriptor)
      }
      for (const done of all) done(this.#failed)
    })
  }

  #open(): number {
    if (this.#isClosed) throw closedError()
    return this.#descriptor
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, 0o700)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function checkFolder(path: string): void {
  if (!lstatSync(path).isDirectory()) throw systemError('ENOTDIR', `${path} is no folder`)
}

const closedError = () => systemError('EBADF', 'the file is closed')

const systemError = (code: string, message: string): Error => Object.assign(new Error(`${code}: ${message}`), { code })
