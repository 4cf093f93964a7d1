import { exported, quorum, replication } from './colo-drive.js'
import type { Drive } from './drive.js'
import { driveIds } from './drive-ids.js'

/** A hard disk on the LSI controller (`qemu_disk_scsi_drive_string`). */
export function scsiDisk(drive: Drive): string[] {
  const { disk, unit, file, format, role, colo } = drive
  const readonly = `readonly=${disk.readwrite ? 'off' : 'on'}`
  const common = `if=none,${readonly},cache=writeback`
  switch (role) {
    case 'none': {
      const id = driveIds.scsi(unit)
      return attach(id, unit, [`file=${file},id=${id},format=${format},${common}`])
    }
    case 'primary':
      return attach(colo.export, unit, [`${common},id=${colo.export},driver=quorum,${quorum(drive)}`])
    case 'secondary':
      return attach(colo.topId, unit, [
        `${exported(drive)},${readonly}`,
        `${common},id=${colo.topId},${replication(drive)}`,
      ])
  }
}

const attach = (id: string, unit: number, drives: readonly string[]): string[] => [
  ...drives.flatMap(drive => ['-drive', drive]),
  '-device',
  `scsi-hd,drive=${id},scsi-id=${unit}`,
]
