import type { DriveImage } from './drive.js'
import { driveIds } from './drive-ids.js'

/** A CD drive, always IDE; without a medium it has neither file nor format. Numbers wrap as C's unsigned do. */
export function cdrom(devid: number, unit: number, image: DriveImage | undefined): string[] {
  const id = driveIds.cdrom(devid)
  return [
    '-drive',
    `if=none,readonly=on,id=${id}${medium(image)}`,
    '-device',
    `ide-cd,id=${id},drive=${id},bus=ide.${Math.trunc(unit / 2) >>> 0},unit=${(unit % 2) >>> 0}`,
  ]
}

export const medium = (image: DriveImage | undefined): string =>
  image === undefined ? '' : `,file=${image.file},format=${image.format}`
