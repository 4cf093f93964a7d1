import * as fs from 'node:fs'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Folder, OpenFile } from '#xenlight/replication/folder.js'

const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)
const flags = { read: 'r', write: 'r+', create: 'wx+' } as const

/** A folder of the file system with nothing around it, for figures. */
export class PlainFolder implements Folder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  list(): readonly string[] {
    return readdirSync(this.#path, { withFileTypes: true }).flatMap(entry => (entry.isFile() ? entry.name : []))
  }

  folders(): readonly string[] {
    return readdirSync(this.#path, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? entry.name : []))
  }

  folder(name: string): Folder {
    mkdirSync(join(this.#path, name), { recursive: true })
    return new PlainFolder(join(this.#path, name))
  }

  open(name: string, how: 'read' | 'write' | 'create'): OpenFile {
    return new PlainFile(fs.openSync(join(this.#path, name), flags[how]))
  }

  rename(from: string, to: string): void {
    renameSync(join(this.#path, from), join(this.#path, to))
  }

  remove(name: string): void {
    rmSync(join(this.#path, name), { recursive: true })
  }

  async sync(): Promise<void> {
    const folder = fs.openSync(this.#path, 'r')
    await fsync(folder)
    fs.closeSync(folder)
  }
}

class PlainFile implements OpenFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  get size(): number {
    return fs.fstatSync(this.#descriptor).size
  }

  readInto(offset: number, target: Uint8Array): number {
    return fs.readSync(this.#descriptor, target, 0, target.length, offset)
  }

  write(offset: number, data: Uint8Array): void {
    for (let at = 0; at < data.length; ) at += fs.writeSync(this.#descriptor, data, at, data.length - at, offset + at)
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#descriptor, size)
  }

  sync(): Promise<void> {
    return fdatasync(this.#descriptor)
  }

  close(): void {
    fs.closeSync(this.#descriptor)
  }
}
