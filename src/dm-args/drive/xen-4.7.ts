import { notEmulated } from '../placement/not-emulated.js'
import type { NotEmulated } from '../placement/place-disk.js'
import { refuseReadOnly } from '../refuse-read-only.js'
import { ahciDisk } from './ahci-disk.js'
import { medium } from './cdrom.js'
import { exported, quorum, stack } from './colo-drive.js'
import type { Drive, DriveDialect, DriveImage } from './drive.js'
import { driveIds } from './drive-ids.js'
import { ideDisk } from './ide-disk.js'

/** The strings of Xen 4.7.0 to 4.7.5 (2016), in which COLO disks began: QEMU makes the controllers, and no top-id is given. */
export const xen47: DriveDialect = {
  lastCdrom: Number.POSITIVE_INFINITY,
  cdromsInTurn: true,
  scsiInTurn: true,
  lastScsi: 6,
  tap: 'device',
  linuxStubdoms: false,
  qed: false,
  topId: false,
  scsiController: [],
  cdrom: (devid: number, unit: number, image: DriveImage | undefined) => [
    '-drive',
    `if=ide,index=${unit},readonly=on,media=cdrom,id=${driveIds.cdrom(devid)}${medium(image)}`,
  ],
  scsi: drive => scsi(drive, ''),
  ahci: ahciDisk,
  ide: drive => {
    if (drive.role !== 'secondary') return ideDisk(drive)
    refuseReadOnly(drive.disk, 'IDE')
    return drives(drive, `if=ide,index=${drive.unit},media=disk`)
  },
  notEmulated: wordsOf47,
}

/** The same with what 4.7.0 lacks: a read-only disk on SCSI is read-only, and a disk that QEMU does not emulate is told of. */
export const saferXen47: DriveDialect = {
  ...xen47,
  scsi: drive => scsi(drive, drive.disk.readwrite ? '' : ',readonly=on'),
  notEmulated,
}

const scsi = (drive: Drive, end: string): string[] => drives(drive, `if=scsi,bus=0,unit=${drive.unit}`, end)

function drives(drive: Drive, place: string, end = ''): string[] {
  const { file, format, role, colo } = drive
  switch (role) {
    case 'none':
      return ['-drive', `file=${file},${place},format=${format},cache=writeback${end}`]
    case 'primary':
      return ['-drive', `${place},cache=writeback,driver=quorum,id=${colo.export},${quorum(drive)}`]
    case 'secondary':
      return [
        ...['-drive', exported(drive)],
        ...['-drive', `${place},cache=writeback,driver=replication,mode=secondary,${stack(drive)}`],
      ]
  }
}

/** 4.7 says nothing of disks beyond the fourth, and lacks a blank. */
function wordsOf47(place: NotEmulated): string | undefined {
  return place.why === 'ide' ? undefined : notEmulated(place).replace('as an emulated', 'as anemulated')
}
