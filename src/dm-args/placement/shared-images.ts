import type { Clash } from './clashes.js'
import type { Emulated, Placed } from './place-disk.js'

interface OpenedFile {
  path: string
  writes: boolean
  /** It cannot be another's on purpose: a file of a secondary, or a device of a stub domain. */
  own: boolean
}

/**
 * Disks that open what is another's, so that QEMU's locks refuse them: a file of a COLO secondary, or in a stub domain,
 * where hda and sda are one device. Not told is what libxl lets a user do on purpose: one image for two disks.
 */
export function sharedImages(placed: readonly Placed[]): Clash[] {
  const found: Clash[] = []
  const users = new Map<string, OpenedFile & { vdev: string }>()
  for (const place of placed) {
    if (place.on === 'nothing') continue
    const { disk } = place
    for (const file of openedFiles(place)) {
      const { path, writes, own } = file
      const other = users.get(path)
      if (other !== undefined && (own || other.own) && (writes || other.writes))
        found.push({
          disk,
          why: other.vdev === disk.vdev ? `it has ${path} twice` : `${path} is ${other.vdev}'s already`,
        })
      if (other === undefined || writes) users.set(path, { ...file, own: own || other?.own === true, vdev: disk.vdev })
    }
  }
  return found
}

function openedFiles({ disk, on, role, image }: Emulated): OpenedFile[] {
  if (image === undefined || !('path' in image)) return []
  const secondary = role === 'secondary'
  const own = secondary || image.format === 'host_device'
  const files = [{ path: image.path, writes: on !== 'cdrom' && disk.readwrite, own }]
  if (secondary) for (const path of [disk.activeDisk!, disk.hiddenDisk!]) files.push({ path, writes: true, own })
  return files
}
