import { Buffer } from 'node:buffer'
import { closeSync, constants, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { checkFlag, checkInteger, checkObject, checkText } from '../../check-argument.js'
import { FifoLock } from '../../link/fifo-lock.js'
import { RangeLock } from '../../link/range-lock.js'
import type { BlockBackend, ZeroOptions } from '../block-backend.js'
import { NbdError } from '../nbd-error.js'

export interface FileBackendOptions {
  /** False by default. */
  readOnly?: boolean | undefined
  /** Makes a file of so many bytes, without blocks; EEXIST where there is one. */
  create?: number | undefined
}

/** Longer zeroes are written in parts of this, one in a turn of the event loop: others go on between them, where they do not overlap. */
const zeroPart = 1024 * 1024
const zeroes = new Uint8Array(zeroPart)
/** Where a part is read to see whether it is zero. */
let scratch: Buffer | undefined

/**
 * A regular file or a block device as a disk. Reads and writes are done at once, on the event loop: for a page cache that is
 * faster than any thread, but a slow disk holds up the process meanwhile, so a busy server is best a process of its own.
 *
 * `flush` is fdatasync. One that fails is never forgotten: every later flush fails with EIO until the file is opened again, as the
 * system may have dropped what it could not write. Zeroes that may be holes are written only where the file does not
 * read as zeroes already, so that a sparse file stays sparse; `trim` does nothing, as Node.js has no call that frees
 * blocks of a file.
 *
 * After `close` everything fails with EBADF; it settles when what was under way is through.
 *
 * @throws the system's error; NbdError EINVAL for what is neither a file nor a block device
 */
export async function openFileBackend(path: string, options: FileBackendOptions = {}): Promise<BlockBackend> {
  checkText('path', path)
  checkObject('options', options)
  const { readOnly = false, create } = options
  checkFlag('readOnly', readOnly)
  if (create !== undefined) {
    checkInteger('create', create, 0, Number.MAX_SAFE_INTEGER)
    await using file = await open(path, 'wx', 0o600)
    await file.truncate(create)
  }
  // a fifo would wait for its other end; it makes no difference to a disk
  const fd = openSync(path, (readOnly ? constants.O_RDONLY : constants.O_RDWR) | constants.O_NONBLOCK)
  try {
    return new FileBackend(fd, sizeOf(fd, path))
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

class FileBackend implements BlockBackend {
  readonly size: number
  readonly #fd: number
  /** Changes that take more than a moment, and those that wait for them. */
  readonly #ranges = new RangeLock()
  /** Of long zeroes each has a part in its turn. */
  readonly #zeroing = new FifoLock()
  readonly #underWay = new Set<Promise<unknown>>()
  #failure: Error | undefined
  #closed: Promise<void> | undefined

  constructor(fd: number, size: number) {
    this.#fd = fd
    this.size = size
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.allocUnsafeSlow(length)
    this.readInto(offset, bytes)
    return bytes
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#checkOpen()
    readWhole(this.#fd, offset, target)
  }

  write(offset: number, data: Uint8Array): void | Promise<void> {
    this.#checkOpen()
    if (this.#ranges.isFree(offset, data.length)) return writeWhole(this.#fd, offset, data)
    return this.#counted(this.#ranges.hold(offset, data.length, () => writeWhole(this.#fd, offset, data)))
  }

  writeZeroes(
    offset: number,
    length: number,
    { mayTrim = true, fast = false, signal }: ZeroOptions = {},
  ): void | Promise<void> {
    this.#checkOpen()
    if (fast) throw new NbdError('ENOTSUP', 'zeroes are as slow as other bytes here')
    if (length <= zeroPart && this.#ranges.isFree(offset, length)) return this.#zeroPart(offset, length, mayTrim)
    const zeroed = this.#ranges.hold(offset, length, async range => {
      const end = offset + length
      for (let at = offset; at < end; at += zeroPart) {
        const release = await this.#zeroing.take()
        try {
          if (signal?.aborted) throw new NbdError('ECANCELED', 'nobody waits for these zeroes any more')
          this.#zeroPart(at, Math.min(zeroPart, end - at), mayTrim)
          range.advance(Math.min(at + zeroPart, end))
          await new Promise(setImmediate)
        } finally {
          release()
        }
      }
    })
    return this.#counted(zeroed)
  }

  trim(): void {
    this.#checkOpen()
    // Node.js cannot free blocks of a file
  }

  async flush(): Promise<void> {
    this.#checkOpen()
    await this.#counted(this.#flush())
  }

  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#underWay).then(() => closeSync(this.#fd))
    return this.#closed
  }

  #flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(new NbdError('EIO', 'an earlier flush failed', { cause: this.#failure }))
        return
      }
      fdatasync(this.#fd, error => {
        if (error !== null) {
          this.#failure ??= error
          reject(error)
        } else if (this.#failure === undefined) resolve()
        // one that was under way with it told of the failure, and took it from this one
        else reject(new NbdError('EIO', 'another flush failed', { cause: this.#failure }))
      })
    })
  }

  /** The descriptor is another file's once it is closed. */
  #checkOpen(): void {
    if (this.#closed !== undefined) throw new NbdError('EBADF', 'the disk is closed')
  }

  async #counted(work: Promise<void>): Promise<void> {
    this.#underWay.add(work)
    try {
      await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  #zeroPart(offset: number, length: number, mayTrim: boolean): void {
    const part = zeroes.subarray(0, length)
    if (mayTrim) {
      scratch ??= Buffer.allocUnsafeSlow(zeroPart)
      const is = scratch.subarray(0, length)
      readWhole(this.#fd, offset, is)
      if (is.equals(part)) return
    }
    writeWhole(this.#fd, offset, part)
  }
}

function readWhole(fd: number, offset: number, target: Uint8Array): void {
  for (let at = 0; at < target.length; ) {
    const count = readSync(fd, target, at, target.length - at, offset + at)
    if (count === 0) throw new NbdError('EIO', `the file has become shorter than ${offset + target.length} bytes`)
    at += count
  }
}

function writeWhole(fd: number, offset: number, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) {
    const count = writeSync(fd, data, at, data.length - at, offset + at)
    if (count === 0) throw new NbdError('EIO', 'the file takes no more')
    at += count
  }
}

function sizeOf(fd: number, path: string): number {
  const stat = fstatSync(fd)
  if (stat.isFile()) return stat.size
  if (stat.isBlockDevice()) return deviceSize(fd)
  throw new NbdError('EINVAL', `${path} is neither a file nor a block device`)
}

/** The end of a block device, where stat says 0: the first byte that cannot be read. */
function deviceSize(fd: number): number {
  const byte = new Uint8Array(1)
  const isThere = (at: number): boolean => readSync(fd, byte, 0, 1, at) === 1
  let above = 1
  while (above < Number.MAX_SAFE_INTEGER / 2 && isThere(above - 1)) above *= 2
  let low = 0
  while (low < above) {
    const middle = Math.floor((low + above) / 2)
    if (isThere(middle)) low = middle + 1
    else above = middle
  }
  return low
}
