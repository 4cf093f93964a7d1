import { refuseReadOnly } from '../refuse-read-only.js'
import { exported, quorum, replication } from './colo-drive.js'
import type { Drive } from './drive.js'

/** A hard disk on the PC's own IDE controller (`qemu_disk_ide_drive_string`). */
export function ideDisk(drive: Drive): string[] {
  const { disk, unit, file, format, role, colo } = drive
  refuseReadOnly(disk, 'IDE')
  const place = `if=ide,index=${unit}`
  const media = 'media=disk,cache=writeback'
  switch (role) {
    case 'none':
      return ['-drive', `file=${file},${place},media=disk,format=${format},cache=writeback`]
    case 'primary':
      return ['-drive', `${place},${media},driver=quorum,id=${colo.export},${quorum(drive)}`]
    case 'secondary':
      return ['-drive', exported(drive), '-drive', `${place},id=${colo.topId},${media},${replication(drive)}`]
  }
}
