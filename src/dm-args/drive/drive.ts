import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { ImageFormat } from '../placement/image.js'
import type { ColoRole, NotEmulated } from '../placement/place-disk.js'
import type { PlacementRules } from '../placement/placement-rules.js'

/** What QEMU opens, in texts that are fit to stand in an option. */
export interface DriveImage {
  /** For `file=`. */
  file: string
  /** For any other option. */
  filename: string
  format: ImageFormat
}

/** A hard disk with all that its arguments are made of. */
export interface Drive extends DriveImage {
  disk: ResolvedDisk
  /** The index of the disk on its bus, 0 for the first. */
  unit: number
  role: ColoRole
  colo: ColoDrive
}

/** The parts of a COLO disk; "(null)" stands for one that is not set, as in libxl. */
export interface ColoDrive {
  /** The id under which the secondary exports its disk, and the primary's own id. */
  export: string
  /** The id of the secondary's topmost node. */
  topId: string
  activeDisk: string
  hiddenDisk: string
}

/** The strings of a Xen release. */
export interface DriveDialect extends PlacementRules {
  /** The controller that hard disks named sd* need. */
  scsiController: readonly string[]
  cdrom(devid: number, unit: number, image: DriveImage | undefined): string[]
  scsi(drive: Drive): string[]
  ahci(drive: Drive): string[]
  ide(drive: Drive): string[]
  /** The warning about a disk that QEMU does not emulate, if there is one. */
  notEmulated(place: NotEmulated): string | undefined
}
