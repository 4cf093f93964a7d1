import { refuseSharedDevices } from '../libxl/refuse-shared-devices.js'
import type { DomainType, ResolvedDisk } from '../libxl/resolved-disk.js'
import { parseVdev } from '../libxl/vdev.js'
import { ahciDisk } from './ahci-disk.js'
import { cdrom } from './cdrom.js'
import { libxlColoNames, safeColoNames } from './colo-names.js'
import type { ColoRole } from './drive.js'
import { ideDisk } from './ide-disk.js'
import { imageFile, stubdomFile } from './image-file.js'
import { scsiDisk } from './scsi-disk.js'
import { warnings } from './warnings.js'

export interface DiskArgsOptions {
  /** The guest's domain. */
  domid: number
  /** QEMU emulates disks for HVM guests only; for others there are no arguments. */
  domainType: DomainType
  /** The controller of the guest's hard disks, as in xl.cfg's `hdtype`. Default: ide. */
  hdtype?: 'ide' | 'ahci' | undefined
  /** The guest is the secondary of a COLO pair: all its COLO disks are, whatever their own `coloRestoreEnable`. */
  coloRestore?: boolean | undefined
  /** QEMU runs in a stub domain, where the disks are /dev/xvda, /dev/xvdb, … */
  stubdom?: boolean | undefined
  /** The backend's node `physical-device-path`, in which a hotplug script publishes the device it has made. */
  physicalDevicePath?: string | ((disk: ResolvedDisk) => string | undefined) | undefined
  /** Byte for byte what libxl emits, its unsafe strings included. Default: false. */
  libxlExact?: boolean | undefined
}

export interface DiskArgs {
  /** QEMU's arguments, one string each. */
  args: string[]
  /** libxl's warnings about disks that QEMU will not emulate, and ours. */
  warnings: string[]
}

/**
 * QEMU's arguments for a guest's disks (`libxl__build_device_model_args_new`), in libxl's order.
 *
 * libxl pastes texts into QEMU's options as they are. Unless `libxlExact` is set, commas in them are doubled, so that
 * a path is a path and nothing more; and COLO disks that QEMU cannot start with are refused.
 *
 * @throws LibxlError for a read-only disk on IDE or AHCI, two disks with one device number, or (not `libxlExact`) a COLO
 * disk that lacks a name, is read-only, or has a `colo-export` that QEMU takes for no id or that another disk has
 */
export function buildDiskArgs(disks: readonly ResolvedDisk[], options: DiskArgsOptions): DiskArgs {
  refuseSharedDevices(disks)
  if (options.domainType !== 'hvm') return { args: [], warnings: [] }
  const controllers: string[] = []
  if (disks.some(isScsi)) controllers.push('-device', 'lsi53c895a')
  if (options.hdtype === 'ahci') controllers.push('-device', 'ahci,id=ahci0')
  const emulations = disks.map(emulator(disks, options))
  return {
    args: controllers.concat(...emulations.map(({ args = [] }) => args)),
    warnings: emulations.flatMap(({ warning = [] }) => warning),
  }
}

const isScsi = (disk: ResolvedDisk): boolean => !disk.isCdrom && disk.vdev.startsWith('sd')

interface Emulation {
  args?: string[]
  warning?: string
}

function emulator(disks: readonly ResolvedDisk[], options: DiskArgsOptions): (disk: ResolvedDisk) => Emulation {
  const { libxlExact = false, physicalDevicePath, hdtype } = options
  const quote = libxlExact ? (text: string): string => text : doubleCommas
  const roleOf = (disk: ResolvedDisk): ColoRole => {
    if (!disk.coloEnable || disk.isCdrom) return 'none'
    return disk.coloRestoreEnable || options.coloRestore ? 'secondary' : 'primary'
  }
  const namesOf = libxlExact ? libxlColoNames : safeColoNames(disks, roleOf, quote)
  const published = typeof physicalDevicePath === 'function' ? physicalDevicePath : () => physicalDevicePath

  return disk => {
    const { vdev, isCdrom, format } = disk
    const { devid = -1, disk: unit } = parseVdev(vdev) ?? {}
    if (devid === -1 || unit === undefined) return { warning: warnings.number(vdev) }
    if (format === 'empty' && !isCdrom) return { warning: warnings.empty(vdev) }
    // libxl allows a fifth drive: its test is "greater than 4"
    if (format === 'empty') return unit > 4 ? { warning: warnings.cdrom(vdev) } : { args: cdrom(devid, unit) }

    const found = options.stubdom ? stubdomFile(unit) : imageFile(disk, published)
    if ('warning' in found) return found
    const image = { file: quote(found.file), format: found.format }
    if (isCdrom) return unit > 4 ? { warning: warnings.cdrom(vdev) } : { args: cdrom(devid, unit, image) }

    const drive = { ...image, disk, unit, role: roleOf(disk), colo: namesOf(disk) }
    if (isScsi(disk)) return { args: scsiDisk(drive) }
    if (unit < 6 && hdtype === 'ahci') {
      const args = ahciDisk(drive)
      return drive.role === 'none' || libxlExact ? { args } : { args, warning: warnings.coloOnAhci(vdev) }
    }
    return unit < 4 ? { args: ideDisk(drive) } : { warning: warnings.ide(vdev) }
  }
}

/** In a QEMU option a comma ends the value; two stand for one. */
const doubleCommas = (text: string): string => text.replaceAll(',', ',,')
