import type { ResolvedDisk } from '../libxl/resolved-disk.js'

/**
 * The name under which QEMU on this host opens a disk (`libxl__device_disk_find_local_path`). Undefined where it
 * cannot: a driver domain's disk, or one whose hotplug script has published no device.
 *
 * @param published what the script wrote to the backend's node `physical-device-path`
 */
export function localPath(disk: ResolvedDisk, published: string | undefined): string | undefined {
  if (disk.backendDomname !== undefined) return undefined
  if ((disk.format === 'raw' && disk.script === undefined) || disk.backend === 'qdisk') return disk.pdevPath
  if (disk.backend === 'tap') return published === undefined ? undefined : `nbd+unix:///?socket=${published}`
  return disk.script === undefined ? undefined : published
}

const qemuFormats = { qcow: 'qcow', qcow2: 'qcow2', vhd: 'vpc', raw: 'raw', qed: 'qed' } as const

/** QEMU's name for the format; raw wherever QEMU is not the one to interpret it. */
export function qemuFormat({ backend, format }: ResolvedDisk): string | undefined {
  if (backend !== 'qdisk') return 'raw'
  return format === 'empty' || format === 'unknown' ? undefined : qemuFormats[format]
}
