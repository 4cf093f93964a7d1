import { LibxlError } from '../libxl/libxl-error.js'
import type { DomainType, ResolvedDisk } from '../libxl/resolved-disk.js'
import { parseVdev } from '../libxl/vdev.js'
import { ahciDisk } from './ahci-disk.js'
import { cdrom } from './cdrom.js'
import { libxlColoNames, safeColoNames } from './colo-names.js'
import type { ColoNames, ColoRole, Drive } from './drive.js'
import { ideDisk } from './ide-disk.js'
import { localPath, qemuFormat } from './local-path.js'
import { scsiDisk } from './scsi-disk.js'

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
  /** libxl's warnings about disks that QEMU will not emulate. */
  warnings: string[]
}

/** What emulating one disk comes to. */
type Emulation = { args: string[] } | { warning: string }

const asPv = 'Disk will be available via PV drivers but not as an emulated disk.'
const asPvNamed = (name: string | number): string =>
  `Disk ${name} will be available via PV drivers but not as an emulated disk.`

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
  const args: string[] = []
  const warnings: string[] = []
  if (options.domainType !== 'hvm') return { args, warnings }
  if (disks.some(isScsi)) args.push('-device', 'lsi53c895a')
  if (options.hdtype === 'ahci') args.push('-device', 'ahci,id=ahci0')
  const emulate = emulator(disks, options)
  for (const disk of disks) {
    const emulation = emulate(disk)
    if ('warning' in emulation) warnings.push(emulation.warning)
    else args.push(...emulation.args)
  }
  return { args, warnings }
}

const isScsi = (disk: ResolvedDisk): boolean => !disk.isCdrom && disk.vdev.startsWith('sd')

function refuseSharedDevices(disks: readonly ResolvedDisk[]): void {
  const seen = new Set<string>()
  for (const { vdev, backend } of disks) {
    const device = `${backend === 'standalone'} ${parseVdev(vdev)?.devid}`
    if (seen.has(device)) throw new LibxlError(-17, `device already exists in xenstore: ${vdev}`)
    seen.add(device)
  }
}

function emulator(disks: readonly ResolvedDisk[], options: DiskArgsOptions): (disk: ResolvedDisk) => Emulation {
  const { libxlExact = false, stubdom = false, hdtype, physicalDevicePath } = options
  const quote = libxlExact ? (text: string): string => text : doubleCommas
  const roleOf = (disk: ResolvedDisk): ColoRole => {
    if (!disk.coloEnable || disk.isCdrom) return 'none'
    return disk.coloRestoreEnable || options.coloRestore ? 'secondary' : 'primary'
  }
  const namesOf: (disk: ResolvedDisk) => ColoNames = libxlExact ? libxlColoNames : safeColoNames(disks, roleOf, quote)
  const published = typeof physicalDevicePath === 'function' ? physicalDevicePath : () => physicalDevicePath

  return disk => {
    const { vdev, isCdrom } = disk
    const { devid, disk: unit } = parseVdev(vdev) ?? {}
    if (devid === undefined || devid === -1 || unit === undefined) {
      return { warning: `unable to determine disk number for ${vdev}` }
    }
    const medium = disk.format === 'empty' ? undefined : openedAs(disk, unit, stubdom, published)
    if (medium === undefined && !isCdrom) return { warning: `Cannot support empty disk format for ${vdev}` }
    if (medium !== undefined && 'warning' in medium) return medium
    const image = medium && { file: quote(medium.file), format: medium.format }

    if (isCdrom) {
      // libxl allows a fifth: its test is "greater than 4"
      if (unit <= 4) return { args: cdrom(devid, unit, image) }
      return { warning: `Emulated CDROM can be only one of the first 4 disks.\n${asPvNamed(vdev)}` }
    }
    const drive: Drive = { disk, devid, unit, ...image!, role: roleOf(disk), colo: namesOf(disk) }
    if (isScsi(disk)) return { args: scsiDisk(drive) }
    if (unit < 6 && hdtype === 'ahci') return { args: ahciDisk(drive) }
    if (unit < 4) return { args: ideDisk(drive) }
    return { warning: `Only 4 emulated IDE disks are supported.\n${asPvNamed(vdev)}` }
  }
}

/** The file that QEMU opens for a disk, and how. */
function openedAs(
  disk: ResolvedDisk,
  unit: number,
  stubdom: boolean,
  published: (disk: ResolvedDisk) => string | undefined,
): { file: string; format: string } | { warning: string } {
  if (stubdom) {
    if (unit <= 25) return { file: `/dev/xvd${String.fromCharCode(97 + unit)}`, format: 'host_device' }
    const limit = 'Emulation of only first 25 disks is supported with qemu-xen in stubdomain.'
    return { warning: `${limit}\n${asPvNamed(unit)}` }
  }
  const format = qemuFormat(disk)
  if (format === undefined) return { warning: `Unable to determine disk image format: ${disk.vdev}\n${asPv}` }
  const file = localPath(disk, published(disk))
  if (file === undefined) return { warning: `No way to get local access disk to image: ${disk.vdev}\n${asPv}` }
  return { file, format }
}

/** In a QEMU option a comma ends the value; two stand for one. */
const doubleCommas = (text: string): string => text.replaceAll(',', ',,')
