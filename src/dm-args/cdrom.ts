import type { ImageFile } from './image-file.js'

export const cdromId = (devid: number): string => `ide-${devid}`

/** A CD drive, always IDE; without a medium it has neither file nor format. Numbers wrap as C's unsigned do. */
export function cdrom(devid: number, unit: number, medium?: ImageFile): string[] {
  const id = cdromId(devid)
  const image = medium === undefined ? '' : `,file=${medium.file},format=${medium.format}`
  return [
    '-drive',
    `if=none,readonly=on,id=${id}${image}`,
    '-device',
    `ide-cd,id=${id},drive=${id},bus=ide.${Math.trunc(unit / 2) >>> 0},unit=${(unit % 2) >>> 0}`,
  ]
}
