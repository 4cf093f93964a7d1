import { checkDomainType, checkHdtype } from '../libxl/check-guest.js'
import { refuseSharedDevices } from '../libxl/refuse-shared-devices.js'
import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { ahciDisk } from './ahci-disk.js'
import { cdrom } from './cdrom.js'
import { libxlColoNames, safeColoNames } from './colo-names.js'
import type { DiskArgsOptions } from './disk-args-options.js'
import type { ColoNames } from './drive.js'
import { ideDisk } from './ide-disk.js'
import { isScsi, type Placed, placeDisk } from './place-disk.js'
import { scsiDisk } from './scsi-disk.js'
import { warnings } from './warnings.js'

/** What `buildDiskArgs` gives. */
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
 * disk that lacks a name, is read-only, or has a `colo-export` that QEMU takes for no id or that another drive has
 * @throws TypeError for an unknown domainType or hdtype
 */
export function buildDiskArgs(disks: readonly ResolvedDisk[], options: DiskArgsOptions): DiskArgs {
  checkDomainType(options.domainType)
  checkHdtype(options.hdtype)
  refuseSharedDevices(disks)
  if (options.domainType !== 'hvm') return { args: [], warnings: [] }
  const controllers: string[] = []
  if (disks.some(isScsi)) controllers.push('-device', 'lsi53c895a')
  if (options.hdtype === 'ahci') controllers.push('-device', 'ahci,id=ahci0')
  const { libxlExact = false } = options
  const quote = libxlExact ? asItIs : doubleCommas
  const placed = disks.map(disk => placeDisk(disk, options, quote))
  const namesOf = libxlExact ? libxlColoNames : safeColoNames(placed, quote)
  return {
    args: controllers.concat(...placed.map(place => argsOf(place, namesOf))),
    warnings: placed.flatMap(place => warningsOf(place, libxlExact)),
  }
}

function argsOf(placed: Placed, namesOf: (disk: ResolvedDisk) => ColoNames): string[] {
  if (placed.on === 'nothing') return []
  if (placed.on === 'cdrom') return cdrom(placed.devid, placed.unit, placed.medium)
  const drive = { ...placed.drive, colo: namesOf(placed.drive.disk) }
  return hardDisks[placed.on](drive)
}

const hardDisks = { scsi: scsiDisk, ahci: ahciDisk, ide: ideDisk }

function warningsOf(placed: Placed, libxlExact: boolean): string[] {
  if (placed.on === 'nothing') return [placed.warning]
  if (libxlExact || placed.on !== 'ahci' || placed.drive.role === 'none') return []
  return [warnings.coloOnAhci(placed.drive.disk.vdev)]
}

const asItIs = (text: string): string => text

/** In a QEMU option a comma ends the value; two stand for one. */
const doubleCommas = (text: string): string => text.replaceAll(',', ',,')
