import type { Emulated } from '../placement/place-disk.js'

/** The ids of drives that are not replicated. */
export const driveIds = {
  /** QEMU's own for a drive with `if=ide` and no `id=` (`drive_new`). */
  ide: (unit: number): string => `ide${unit >> 1}-hd${unit & 1}`,
  ahci: (unit: number): string => `ahcidisk-${unit}`,
  scsi: (unit: number): string => `scsi0-hd${unit}`,
  cdrom: (devid: number): string => `ide-${devid}`,
}

/** The id of the drive in a place. */
export const driveId = (place: Emulated): string =>
  place.on === 'cdrom' ? driveIds.cdrom(place.devid) : driveIds[place.on](place.unit)
