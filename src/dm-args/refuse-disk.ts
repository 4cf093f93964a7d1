import { LibxlError, withDetails } from '../libxl/libxl-error.js'
import type { LibxlReason } from '../libxl/libxl-reason.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'

/** A refusal of one of a guest's disks. */
export const refuseDisk = (reason: LibxlReason, { vdev }: ResolvedDisk, why: string): LibxlError =>
  new LibxlError(reason, `disk ${vdev}: ${why}`, { vdev })

/** Calls a function for a disk; a refusal of it says which disk it is, and what libxl warned of until then. */
export function forDisk<T>({ vdev }: ResolvedDisk, warnings: readonly string[], make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof LibxlError ? withDetails(error, { vdev, warnings }) : error
  }
}
