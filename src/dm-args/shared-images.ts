import type { Clash } from './clashes.js'
import type { Emulated, Placed } from './place-disk.js'

/**
 * Disks that open what is another's: in a stub domain hda and sda are one device, and no two secondaries can have one
 * active or hidden disk. Not told is what libxl lets a user do on purpose, an image given to two disks.
 */
export function sharedImages(placed: readonly Placed[]): Clash[] {
  const found: Clash[] = []
  const users = new Map<string, string>()
  for (const place of placed) {
    if (place.on === 'nothing') continue
    const { disk } = place
    for (const path of ownFiles(place)) {
      const other = users.get(path)
      if (other === undefined) users.set(path, disk.vdev)
      else if (other !== disk.vdev) found.push({ disk, why: `${path} is ${other}'s already` })
    }
  }
  return found
}

function ownFiles({ disk, role, image }: Emulated): string[] {
  if (role === 'secondary') return [disk.activeDisk!, disk.hiddenDisk!]
  return image?.format === 'host_device' ? [image.path] : []
}
