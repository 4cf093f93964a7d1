import type { BlockBackend } from '../../nbd/block-backend.js'
import { NbdError } from '../../nbd/nbd-error.js'

/** A disk whose answers count only while something is so: that is asked before each request is done, and again before it is answered. */
export function guardedDisk(disk: BlockBackend, check: () => void): BlockBackend {
  const checked = () => {
    try {
      check()
    } catch (error) {
      throw new NbdError('ESHUTDOWN', (error as Error).message, { cause: error })
    }
  }
  const guarded = <Result>(work: () => Result | Promise<Result>): Result | Promise<Result> => {
    checked()
    const done = work()
    if (done instanceof Promise)
      return done.then(result => {
        checked()
        return result
      })
    checked()
    return done
  }
  return {
    size: disk.size,
    read: (offset, length) => guarded(() => disk.read(offset, length)),
    write: (offset, data) => guarded(() => disk.write(offset, data)),
    writeZeroes: (offset, length, options) => guarded(() => disk.writeZeroes(offset, length, options)),
    trim: (offset, length) => guarded(() => disk.trim(offset, length)),
    flush: () => guarded(() => disk.flush()),
    ...(disk.blockStatus !== undefined && {
      blockStatus: (offset: number, length: number) => guarded(() => disk.blockStatus!(offset, length)),
    }),
  }
}
