import { type BackendKind, backendKinds, type DevicePaths, devicePaths, type FrontendKind } from '../device-paths.js'
import { devidOf } from '../devid-of.js'
import type { ResolvedDisk } from '../resolved-disk.js'

/** Which device of which domains a disk is, and where its nodes are (`libxl__device`). */
export interface DiskDevice {
  /** The guest's domain. */
  domid: number
  devid: number
  backendDomid: number
  kind: FrontendKind
  backendKind: BackendKind
  paths: DevicePaths
}

/** @throws LibxlError when the disk's vdev has no device number */
export function diskDevice(disk: ResolvedDisk, domid: number): DiskDevice {
  const devid = devidOf(disk.vdev)
  return {
    domid,
    devid,
    backendDomid: disk.backendDomid,
    kind: disk.backend === 'standalone' ? 'virtio_disk' : 'vbd',
    backendKind: backendKinds[disk.backend],
    paths: devicePaths(disk, domid, devid),
  }
}
