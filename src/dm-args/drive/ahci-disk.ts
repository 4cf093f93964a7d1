import { refuseReadOnly } from '../refuse-read-only.js'
import type { Drive } from './drive.js'
import { driveIds } from './drive-ids.js'

/** A hard disk on the AHCI controller. libxl knows no COLO there. */
export function ahciDisk({ disk, unit, file, format }: Drive): string[] {
  refuseReadOnly(disk, 'AHCI')
  const id = driveIds.ahci(unit)
  return [
    '-drive',
    `file=${file},if=none,id=${id},format=${format},cache=writeback`,
    '-device',
    `ide-hd,bus=ahci0.${unit},unit=0,drive=${id}`,
  ]
}
