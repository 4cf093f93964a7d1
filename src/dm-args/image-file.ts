import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { warnings } from './warnings.js'

/** What QEMU opens for a disk, and as what. */
export interface ImageFile {
  file: string
  format: string
}

/** What the hotplug script of a disk wrote to the backend's node `physical-device-path`. */
export type Published = (disk: ResolvedDisk) => string | undefined

/** The image of a disk for a QEMU on this host, or the warning that there is none it could open. */
export function imageFile(disk: ResolvedDisk, published: Published): ImageFile | { warning: string } {
  const format = disk.backend === 'qdisk' ? qemuFormats[disk.format] : 'raw'
  if (format === undefined) return { warning: warnings.format(disk.vdev) }
  const file = localPath(disk, published)
  return file === undefined ? { warning: warnings.path(disk.vdev) } : { file, format }
}

/** The image of a disk for a QEMU in a stub domain, which sees all disks as Xen's own, by their number. */
export const stubdomFile = (unit: number): ImageFile | { warning: string } =>
  unit > 25
    ? { warning: warnings.stubdom(unit) }
    : { file: `/dev/xvd${String.fromCharCode(97 + unit)}`, format: 'host_device' }

const qemuFormats = {
  unknown: undefined,
  empty: undefined,
  qcow: 'qcow',
  qcow2: 'qcow2',
  vhd: 'vpc',
  raw: 'raw',
  qed: 'qed',
} as const

/**
 * The name under which QEMU on this host opens a disk (`libxl__device_disk_find_local_path`). Undefined where it
 * cannot: a driver domain's disk, or one whose hotplug script has published no device.
 */
function localPath(disk: ResolvedDisk, published: Published): string | undefined {
  if (disk.backendDomname !== undefined) return undefined
  if ((disk.format === 'raw' && disk.script === undefined) || disk.backend === 'qdisk') return disk.pdevPath
  if (disk.backend !== 'tap') return disk.script === undefined ? undefined : published(disk)
  const socket = published(disk)
  return socket === undefined ? undefined : `nbd+unix:///?socket=${socket}`
}
