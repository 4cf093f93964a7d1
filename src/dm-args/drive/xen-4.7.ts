import { ahciDisk } from './ahci-disk.js'
import { medium } from './cdrom.js'
import { exported, quorum, stack } from './colo-drive.js'
import type { Drive, DriveDialect, DriveImage } from './drive.js'
import { driveIds } from './drive-ids.js'
import { ideDisk, refuseReadOnly } from './ide-disk.js'

/** The strings of Xen 4.7 (2016), with which COLO disks began: QEMU makes the controllers, and no top-id is needed. */
export const xen47: DriveDialect = {
  lastCdrom: Number.POSITIVE_INFINITY,
  scsiController: [],
  cdrom: (devid: number, unit: number, image: DriveImage | undefined) => [
    '-drive',
    `if=ide,index=${unit},readonly=on,media=cdrom,id=${driveIds.cdrom(devid)}${medium(image)}`,
  ],
  scsi: drive => drives(drive, `if=scsi,bus=0,unit=${drive.unit}`),
  ahci: ahciDisk,
  ide: drive => {
    refuseReadOnly(drive)
    return drive.role === 'secondary' ? drives(drive, `if=ide,index=${drive.unit},media=disk`) : ideDisk(drive)
  },
}

function drives(drive: Drive, place: string): string[] {
  const { file, format, role, colo } = drive
  switch (role) {
    case 'none':
      return ['-drive', `file=${file},${place},format=${format},cache=writeback`]
    case 'primary':
      return ['-drive', `${place},cache=writeback,driver=quorum,id=${colo.export},${quorum(drive)}`]
    case 'secondary':
      return [
        ...['-drive', exported(drive)],
        ...['-drive', `${place},cache=writeback,driver=replication,mode=secondary,${stack(drive)}`],
      ]
  }
}
