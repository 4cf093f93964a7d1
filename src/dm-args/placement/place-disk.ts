import { wrongType } from '../../check-argument.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { parseVdev } from '../../libxl/vdev.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { type Image, imageFormat, lastStubdomDisk, localImage, stubdomImage } from './image.js'
import type { PlacementRules } from './placement-rules.js'

/** The part a disk plays in COLO: the protected guest's, its replica's, or none. */
export type ColoRole = 'none' | 'primary' | 'secondary'

/** Why QEMU does not show a disk to the guest. */
export type Unplaced = 'number' | 'empty' | 'stubdom' | 'format' | 'path' | 'cdrom' | 'ide'

/** Where QEMU shows a disk to the guest. */
export type Placed = NotEmulated | Emulated

export type NotEmulated = Assigned & { on: 'nothing'; why: Unplaced; unit: number }

export type Emulated = Assigned & (PlacedCdrom | PlacedHardDisk)

interface Assigned {
  disk: ResolvedDisk
  role: ColoRole
}

/** A CD drive; without a medium it has no image. */
export interface PlacedCdrom {
  on: 'cdrom'
  devid: number
  /** The index of the disk on its bus, 0 for the first. */
  unit: number
  image: Image | undefined
}

/** A hard disk. */
export interface PlacedHardDisk {
  on: 'scsi' | 'ahci' | 'ide'
  devid: number
  unit: number
  image: Image
}

/** Where QEMU shows a disk, by libxl's rules and in the order of its tests (`libxl__build_device_model_args_new`). */
export function placeDisk(
  disk: ResolvedDisk,
  options: DeviceModelOptions,
  rules: PlacementRules,
  libxlExact: boolean,
): Placed {
  const { isCdrom } = disk
  const role = roleOf(disk, options)
  const { devid = -1, disk: unit } = parseVdev(disk.vdev) ?? {}
  if (devid === -1 || unit === undefined) return { disk, role, on: 'nothing', why: 'number', unit: -1 }
  const nowhere = (why: Unplaced): Placed => ({ disk, role, on: 'nothing', why, unit })

  let image: Image | undefined
  if (disk.format === 'empty') {
    if (!isCdrom) return nowhere('empty')
  } else if (options.stubdom) {
    if (unit > lastStubdomDisk) return nowhere('stubdom')
    image = stubdomImage(unit)
  } else {
    const format = imageFormat(disk, rules)
    if (format === undefined) return nowhere('format')
    image = localImage(disk, format, published(options), rules, libxlExact)
    if (image === undefined) return nowhere('path')
  }

  if (isCdrom) return unit > rules.lastCdrom ? nowhere('cdrom') : { disk, role, on: 'cdrom', devid, unit, image }
  const on = isScsi(disk) ? 'scsi' : unit < 6 && options.hdtype === 'ahci' ? 'ahci' : unit < 4 ? 'ide' : undefined
  // only a CD drive can lack an image here
  return on === undefined ? nowhere('ide') : { disk, role, on, devid, unit, image: image! }
}

export const isScsi = (disk: ResolvedDisk): boolean => !disk.isCdrom && disk.vdev.startsWith('sd')

const published =
  ({ physicalDevicePath: path }: DeviceModelOptions) =>
  (disk: ResolvedDisk): string | undefined => {
    const found: unknown = typeof path === 'function' ? path(disk) : path
    if (typeof found === 'string') return found
    if (found === undefined || found === null) return undefined
    throw wrongType('the answer of physicalDevicePath', 'a path or undefined', found)
  }

function roleOf(disk: ResolvedDisk, options: DeviceModelOptions): ColoRole {
  if (!disk.coloEnable) return 'none'
  return (options.coloRestore ?? disk.coloRestoreEnable) ? 'secondary' : 'primary'
}
