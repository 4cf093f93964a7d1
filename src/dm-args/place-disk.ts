import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { parseVdev } from '../libxl/vdev.js'
import type { DiskArgsOptions } from './disk-args-options.js'
import type { ColoRole, HardDisk } from './drive.js'
import { type ImageFile, imageFile, stubdomFile } from './image-file.js'
import { warnings } from './warnings.js'

/** Where QEMU shows a disk to the guest; nowhere is what libxl warns of. */
export type Placed =
  | { on: 'nothing'; warning: string }
  | { on: 'cdrom'; devid: number; unit: number; medium?: ImageFile }
  | { on: 'scsi' | 'ahci' | 'ide'; drive: HardDisk }

/** @param quote makes a text fit to stand in a QEMU option */
export function placeDisk(disk: ResolvedDisk, options: DiskArgsOptions, quote: (text: string) => string): Placed {
  const { vdev, isCdrom, format } = disk
  const { devid = -1, disk: unit } = parseVdev(vdev) ?? {}
  if (devid === -1 || unit === undefined) return nowhere(warnings.number(vdev))
  const empty = format === 'empty'
  if (empty && !isCdrom) return nowhere(warnings.empty(vdev))

  let medium: ImageFile | undefined
  if (!empty) {
    const found = options.stubdom ? stubdomFile(unit) : imageFile(disk, published(options))
    if ('warning' in found) return nowhere(found.warning)
    medium = { file: quote(found.file), format: found.format }
  }
  // libxl allows a fifth drive: its test is "greater than 4"
  if (isCdrom) return unit > 4 ? nowhere(warnings.cdrom(vdev)) : { on: 'cdrom', devid, unit, ...(medium && { medium }) }

  const drive = { ...medium!, disk, unit, role: roleOf(disk, options) }
  if (isScsi(disk)) return { on: 'scsi', drive }
  if (unit < 6 && options.hdtype === 'ahci') return { on: 'ahci', drive }
  return unit < 4 ? { on: 'ide', drive } : nowhere(warnings.ide(vdev))
}

export const isScsi = (disk: ResolvedDisk): boolean => !disk.isCdrom && disk.vdev.startsWith('sd')

const nowhere = (warning: string): Placed => ({ on: 'nothing', warning })

const published = ({ physicalDevicePath: path }: DiskArgsOptions) => (typeof path === 'function' ? path : () => path)

function roleOf(disk: ResolvedDisk, options: DiskArgsOptions): ColoRole {
  if (!disk.coloEnable) return 'none'
  return disk.coloRestoreEnable || options.coloRestore ? 'secondary' : 'primary'
}
