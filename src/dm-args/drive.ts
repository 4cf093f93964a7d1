import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import type { ImageFile } from './image-file.js'

/** The part a disk plays in COLO: the protected guest's, its replica's, or none. */
export type ColoRole = 'none' | 'primary' | 'secondary'

/** A hard disk that QEMU is to emulate. Texts are fit to stand in an option. */
export interface HardDisk extends ImageFile {
  disk: ResolvedDisk
  /** The index of the disk on its bus, 0 for the first. */
  unit: number
  role: ColoRole
}

/** A hard disk with all that its arguments are made of. */
export interface Drive extends HardDisk {
  colo: ColoNames
}

/** The names of a COLO disk's parts; "(null)" stands for one that is not set, as in libxl. */
export interface ColoNames {
  /** The id under which the secondary exports its disk, and the primary's own id. */
  export: string
  activeDisk: string
  hiddenDisk: string
  /** The id of the secondary's topmost node. */
  topId: string
}
