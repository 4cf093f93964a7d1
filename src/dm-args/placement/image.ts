import { nbdTargetOf } from '../../libxl/nbd-target.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { PlacementRules } from './placement-rules.js'

/** Where QEMU finds the contents of a disk: a file (or device), or an NBD server's socket. */
export type Image = { path: string; format: ImageFormat } | { socket: string; export: string; format: 'raw' }

/** QEMU's name for the driver of a format (`libxl__qemu_disk_format_string`), or what stubdomains have. */
export type ImageFormat = 'qcow' | 'qcow2' | 'vpc' | 'raw' | 'qed' | 'host_device'

/** What the hotplug script of a disk wrote to the backend's node `physical-device-path`. */
export type Published = (disk: ResolvedDisk) => string | undefined

/** QEMU interprets a format only where it serves the disk; else it is another's, and what comes out is raw. */
export function imageFormat(disk: ResolvedDisk, { qed }: PlacementRules): ImageFormat | undefined {
  if (disk.backend !== 'qdisk') return 'raw'
  if (disk.format === 'qed' && !qed) return undefined
  return formats[disk.format]
}

const formats = {
  unknown: undefined,
  empty: undefined,
  qcow: 'qcow',
  qcow2: 'qcow2',
  vhd: 'vpc',
  raw: 'raw',
  qed: 'qed',
} as const

/**
 * What a QEMU on this host opens for a disk (`libxl__device_disk_find_local_path`). Undefined where it cannot: a driver
 * domain's disk, or one whose hotplug script has published no device.
 */
export function localImage(
  disk: ResolvedDisk,
  format: ImageFormat,
  published: Published,
  { tap }: PlacementRules,
  libxlExact: boolean,
): Image | undefined {
  if (disk.backend === 'tap' && tap === 'device') return file(published(disk), format)
  if (disk.backendDomname !== undefined) return undefined
  const nbd = libxlExact ? undefined : nbdTargetOf(disk)
  if (nbd !== undefined) return { ...nbd, format: 'raw' }
  if ((disk.format === 'raw' && disk.script === undefined) || disk.backend === 'qdisk')
    return file(disk.pdevPath, format)
  if (disk.backend !== 'tap') return disk.script === undefined ? undefined : file(published(disk), format)
  const socket = published(disk)
  return socket === undefined ? undefined : { socket, export: '', format: 'raw' }
}

/** The last letter of a stub domain's disks: as the index of a disk. */
export const lastStubdomDisk = 25

/** The image for a QEMU in a stub domain, which sees all disks as Xen's own, by their number. */
export const stubdomImage = (unit: number): Image => ({
  path: `/dev/xvd${String.fromCharCode(97 + unit)}`,
  format: 'host_device',
})

const file = (path: string | undefined, format: ImageFormat): Image | undefined =>
  path === undefined ? undefined : { path, format }
