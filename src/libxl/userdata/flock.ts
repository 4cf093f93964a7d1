import { type LockOptions, flock as takeFlock } from '../../flock.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf, reasonOf } from '../system-error.js'

export type { LockOptions } from '../../flock.js'

/** Takes flock(2) on an open file. @returns whether it was taken in time @throws LibxlError ERROR_LOCK_FAIL */
export async function flock(fd: number, options: LockOptions): Promise<boolean> {
  try {
    return await takeFlock(fd, options)
  } catch (error) {
    const advice = 'install util-linux, whose program "flock" takes libxl\'s lock'
    const why = codeOf(error) === '' ? (error as Error).message : `cannot run flock: ${reasonOf(error)}; ${advice}`
    throw new LibxlError('lock-failed', why, { cause: error })
  }
}
