import { constants } from 'node:fs'
import { type FileHandle, open, stat, unlink } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { LibxlError } from '../libxl-error.js'
import { codeOf, reasonOf } from '../system-error.js'
import { flock, type LockOptions } from './flock.js'

/** A lock that is held until it is released, or the process ends. */
export interface HeldLock {
  release(): Promise<void>
}

/**
 * Takes the lock that a file stands for, as libxl does (`libxl__lock_file`): whoever releases it removes the file, so that one
 * who waited for a file that is gone begins again with the new one.
 *
 * @returns undefined where the file's folder is missing
 * @throws LibxlError ERROR_TIMEDOUT; ERROR_LOCK_FAIL where the file cannot be opened or locked
 */
export async function lockFile(path: string, { timeout, signal }: LockOptions): Promise<HeldLock | undefined> {
  const end = performance.now() + timeout
  for (;;) {
    const file = await openLockFile(path)
    if (file === undefined) return undefined
    let isOurs = false
    try {
      const isLocked = await flock(file.fd, { timeout: Math.max(0, end - performance.now()), signal })
      signal?.throwIfAborted()
      if (!isLocked) throw timedOut(path, timeout)
      isOurs = await isStillAt(path, file)
    } finally {
      if (!isOurs) await file.close()
    }
    if (isOurs) return { release: () => release(path, file) }
  }
}

async function openLockFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT, 0o666)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    const advice = 'libxl keeps its locks there: run this as root in domain 0'
    throw new LibxlError('lock-failed', `cannot open lockfile ${path}: ${reasonOf(error)}; ${advice}`, { cause: error })
  }
}

async function isStillAt(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [own, there] = await Promise.all([file.stat({ bigint: true }), stat(path, { bigint: true })])
    return own.dev === there.dev && own.ino === there.ino
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw new LibxlError('lock-failed', `cannot stat ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** The file goes first: nobody may lock it after it was released and before it is gone. */
async function release(path: string, file: FileHandle): Promise<void> {
  try {
    await unlink(path).catch(() => {})
  } finally {
    await file.close()
  }
}

const timedOut = (path: string, timeout: number): LibxlError =>
  new LibxlError(
    'lock-timeout',
    `timed out after ${timeout} ms waiting for the lock ${path}: another toolstack is changing this domain; ` +
      `try again, allow more time (timeouts.lock), or see who holds it with "fuser ${path}"`,
  )
