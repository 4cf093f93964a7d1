import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { Emulated, Placed } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'

/** A disk that QEMU will not start with, and why. */
export interface Clash {
  disk: ResolvedDisk
  why: string
}

/** What QEMU will not start with, though libxl passes it on: two disks in one place, places that are not there, nothing to open. */
export function clashes(placed: readonly Placed[], { lastScsi }: PlacementRules): Clash[] {
  const found: Clash[] = []
  const taken = new Map<string, string>()
  for (const place of placed) {
    if (place.on === 'nothing') continue
    const { disk } = place
    const bus = place.on === 'cdrom' ? 'ide' : place.on
    const [name, last, names] = bus === 'scsi' ? scsiBus(lastScsi) : buses[bus]
    if (place.unit < 0 || place.unit > last) {
      found.push({ disk, why: `${name} has the places 0 to ${last} (${names}), not ${place.unit}` })
      continue
    }
    const why = nothingToOpen(place)
    if (why !== undefined) found.push({ disk, why })
    const where = `${bus} ${place.unit}`
    const other = taken.get(where)
    if (other === undefined) taken.set(where, disk.vdev)
    else found.push({ disk, why: `${other} is already in place ${place.unit} of ${name}` })
  }
  return found
}

const buses = {
  ide: ['IDE', 3, 'hda to hdd'],
  ahci: ['AHCI', 5, 'xvda to xvdf'],
} as const

const scsiBus = (last: number) => ['the SCSI bus', last, `sda to sd${String.fromCharCode(97 + last)}`] as const

function nothingToOpen({ image }: Emulated): string | undefined {
  if (image === undefined) return undefined
  const path = 'path' in image ? image.path : image.socket
  if (path === '') return 'it has no path to open'
  const isStrange = image.format === 'host_device' && !/[a-z]$/.test(path)
  return isStrange ? 'a stub domain has no device for a name without a letter' : undefined
}
