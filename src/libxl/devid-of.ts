import { LibxlError } from './libxl-error.js'
import { parseVdev } from './vdev.js'

/** The device number of a disk's vdev. Every disk that libxl attaches has one; only -1 is none. */
export function devidOf(vdev: string | undefined): number {
  const devid = vdev === undefined ? -1 : (parseVdev(vdev)?.devid ?? -1)
  if (devid === -1) throw unsupportedVdev(vdev)
  return devid
}

export const unsupportedVdev = (vdev: string | undefined): LibxlError =>
  new LibxlError('vdev-invalid', `Invalid or unsupported virtual disk identifier ${vdev ?? '(null)'}`)
