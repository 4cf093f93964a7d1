import { LibxlError } from '../libxl/libxl-error.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'

/** A refusal of one of a guest's disks. */
export const refuseDisk = (disk: ResolvedDisk, why: string): LibxlError =>
  Object.assign(new LibxlError(-6, `disk ${disk.vdev}: ${why}`), { vdev: disk.vdev })

/** Calls a function for a disk; a refusal of it says which disk it is, and what libxl warned of until then. */
export function forDisk<T>({ vdev }: ResolvedDisk, warnings: readonly string[], make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof LibxlError) Object.assign(error, { vdev, warnings })
    throw error
  }
}
