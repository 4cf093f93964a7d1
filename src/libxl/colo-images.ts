import type { DeviceDisk } from './device-disk.js'

const roles = { pdevPath: 'target', activeDisk: 'active-disk', hiddenDisk: 'hidden-disk' } as const

export type ColoImages = Pick<DeviceDisk, keyof typeof roles>

/** One image in two of a disk's roles. */
export interface SharedImage {
  field: keyof ColoImages
  other: keyof ColoImages
  /** The name of the other role. */
  otherRole: string
  why: string
}

/** The secondary writes all three images: one file in two roles loses the guest's data. */
export function sharedRoles(images: ColoImages): SharedImage[] {
  const { pdevPath, activeDisk, hiddenDisk } = images
  const found: SharedImage[] = []
  const compare = (field: keyof ColoImages, other: keyof ColoImages) =>
    found.push({ field, other, otherRole: roles[other], why: `${roles[field]} and ${roles[other]} are the same` })
  if (activeDisk && activeDisk === pdevPath) compare('activeDisk', 'pdevPath')
  if (hiddenDisk && hiddenDisk === pdevPath) compare('hiddenDisk', 'pdevPath')
  else if (hiddenDisk && hiddenDisk === activeDisk) compare('hiddenDisk', 'activeDisk')
  return found
}
