import { Buffer } from 'node:buffer'
import { closeSync, constants, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { FileDone } from '../../keep/keep-host.js'
import type { FileHost, FileRequest, NodeFile } from '../file-host.js'

/** How much is read and written before others have their turn, in bytes. */
const turn = 16 * 1024 * 1024
/** How much zero is written at a time. */
const zeroes = Buffer.alloc(1024 * 1024)

/**
 * A node's files on the file system. Reads and writes are done at once, which keeps their order and is faster than the thread pool; a sync
 * is not, as it waits for the disk. A sync that failed is not forgotten: what the system was to write may be lost, so all later ones fail too.
 */
export class NodeFiles implements FileHost {
  readonly #descriptors: Readonly<Record<NodeFile, number>>
  readonly #failed = new Map<NodeFile, Error>()
  /** Of each file that is being synced, who waits for the next time. */
  readonly #waiting = new Map<NodeFile, FileDone[]>()
  #spent = 0
  #isClosed = false
  #whenClosed: () => void = () => {}

  /** @throws the system's error */
  constructor(paths: Readonly<Record<NodeFile, string>>) {
    const opened: number[] = []
    const open = (path: string) => {
      // never through a name that somebody has put a link in the place of, for what is ours alone
      const descriptor = openSync(path, constants.O_RDWR | (path === paths.data ? 0 : constants.O_NOFOLLOW))
      opened.push(descriptor)
      return descriptor
    }
    try {
      this.#descriptors = { data: open(paths.data), meta: open(paths.meta), log: open(paths.log) }
    } catch (error) {
      for (const descriptor of opened) closeSync(descriptor)
      throw error
    }
  }

  /** The open files, on each of which a lock is held. */
  get lockable(): readonly number[] {
    return Object.values(this.#descriptors)
  }

  /** Whether two of them are one. */
  get areOne(): boolean {
    const names = this.lockable.map(descriptor => {
      const { dev, ino } = fstatSync(descriptor, { bigint: true })
      return `${dev}:${ino}`
    })
    return new Set(names).size < names.length
  }

  /** The size of the disk, in bytes; undefined of a block device. */
  get dataSize(): number | undefined {
    const stats = fstatSync(this.#descriptors.data)
    return stats.isFile() ? stats.size : undefined
  }

  file(request: FileRequest, done: FileDone): void {
    if (this.#isClosed) {
      done(closedError())
      return
    }
    if (request.kind === 'sync') {
      this.#sync(request.file, done)
      return
    }
    let data: Uint8Array | undefined
    try {
      data = this.#doNow(request)
    } catch (error) {
      done(error as Error)
      return
    }
    this.#spent += request.kind === 'write' ? request.data.length : request.length
    if (this.#spent < turn) {
      done(undefined, data)
      return
    }
    // others have their turn: the peer is answered, and the guest
    this.#spent = 0
    setImmediate(() => (this.#isClosed ? done(closedError()) : done(undefined, data)))
  }

  /** Nothing is done any more; settles when what was under way is through. */
  close(): Promise<void> {
    this.#isClosed = true
    return new Promise(resolve => {
      this.#whenClosed = () => {
        for (const descriptor of Object.values(this.#descriptors)) closeSync(descriptor)
        this.#whenClosed = () => {}
        resolve()
      }
      if (this.#waiting.size === 0) this.#whenClosed()
    })
  }

  #doNow(request: Exclude<FileRequest, { kind: 'sync' }>): Uint8Array | undefined {
    const descriptor = this.#descriptors[request.file]
    if (request.kind === 'read') return readAll(descriptor, request)
    if (request.kind === 'write') {
      writeAll(descriptor, request.offset, request.data)
      return undefined
    }
    for (let at = 0; at < request.length; at += zeroes.length)
      writeAll(descriptor, request.offset + at, zeroes.subarray(0, Math.min(zeroes.length, request.length - at)))
    return undefined
  }

  /** One at a time: they end in the order asked, and none succeeds while another one hears of an error. Those that wait are one. */
  #sync(file: NodeFile, done: FileDone): void {
    const waiting = this.#waiting.get(file)
    if (waiting === undefined) this.#syncNow(file, [done])
    else waiting.push(done)
  }

  #syncNow(file: NodeFile, all: readonly FileDone[]): void {
    const waiting: FileDone[] = []
    this.#waiting.set(file, waiting)
    fdatasync(this.#descriptors[file], error => {
      if (error !== null && !this.#failed.has(file)) this.#failed.set(file, error)
      if (this.#isClosed || waiting.length === 0) this.#waiting.delete(file)
      else this.#syncNow(file, waiting)
      for (const done of all) done(this.#isClosed ? closedError() : this.#failed.get(file))
      if (!this.#isClosed) return
      for (const done of waiting) done(closedError())
      if (this.#waiting.size === 0) this.#whenClosed()
    })
  }
}

/** The log is not written to its end at first, and what lacks in the metadata fails its checksums; of the disk nothing may be missing. */
function readAll(descriptor: number, { file, offset, length }: Extract<FileRequest, { kind: 'read' }>): Uint8Array {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const count = readSync(descriptor, bytes, at, length - at, offset + at)
    if (count === 0 && file !== 'data') break
    if (count === 0) throw Object.assign(new Error(`the file ends before byte ${offset + length}`), { code: 'EIO' })
    at += count
  }
  return bytes
}

function writeAll(descriptor: number, offset: number, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) at += writeSync(descriptor, data, at, data.length - at, offset + at)
}

const closedError = () => new Error('the node is closed')
