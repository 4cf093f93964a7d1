import { notEmulated } from '../placement/not-emulated.js'
import { ahciDisk } from './ahci-disk.js'
import { cdrom } from './cdrom.js'
import type { DriveDialect } from './drive.js'
import { ideDisk } from './ide-disk.js'
import { scsiDisk } from './scsi-disk.js'

/** The strings of Xen 4.17 and master. libxl allows a fifth CD drive: its test is "greater than 4". */
export const xen417: DriveDialect = {
  lastCdrom: 4,
  cdromsInTurn: false,
  scsiInTurn: false,
  lastScsi: 7,
  tap: 'socket',
  linuxStubdoms: true,
  qed: true,
  topId: true,
  scsiController: ['-device', 'lsi53c895a'],
  cdrom,
  scsi: scsiDisk,
  ahci: ahciDisk,
  ide: ideDisk,
  notEmulated,
}
