import type { DeviceDisk } from '../device-disk.js'
import { LibxlError } from '../libxl-error.js'
import { CommitUnknown } from './write-device.js'

/** Why one of several disks was not attached. */
export interface Failure {
  /** Which one. */
  index: number
  error: unknown
}

/** What became of the disks that had been written. */
export interface Aftermath {
  /** They were taken away again. */
  undone: boolean
  /** Those that couldn't be, and why. */
  left: readonly string[]
}

/** One error for all that failed: the first one, with what else there is to know. */
export function failureOf(
  failures: readonly Failure[],
  disks: readonly DeviceDisk[],
  { undone, left }: Aftermath,
): unknown {
  const causes = failures.map(({ index, error }) => ({
    index,
    error: error instanceof CommitUnknown ? error.cause : error,
  }))
  const [first] = causes
  const isPlain = disks.length === 1 && left.length === 0 && !(undone && first?.error instanceof LibxlError)
  if (first === undefined || isPlain) return first?.error
  const told = causes.map(({ index, error }) => {
    const which = disks.length === 1 ? '' : `disk ${index + 1} of ${disks.length} (${disks[index]?.vdev}): `
    return which + (error instanceof Error ? error.message : String(error))
  })
  if (left.length > 0) told.push(`could not be taken away again: ${left.join(', ')}`)
  else if (undone) told.push('what was written has been taken away again')
  else if (disks.length > 1) told.push('nothing was written')
  const rc = first.error instanceof LibxlError ? first.error.rc : -3
  return new LibxlError(rc, told.join('; '), { cause: first.error })
}
