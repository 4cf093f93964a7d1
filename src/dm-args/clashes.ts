import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import type { Emulated, Placed } from './place-disk.js'

/** A disk that QEMU will not start with, and why. */
export interface Clash {
  disk: ResolvedDisk
  why: string
}

/** What QEMU will not start with, though libxl passes it on: two disks in one place, and places that are not there. */
export function clashes(placed: readonly Placed[]): Clash[] {
  const found: Clash[] = []
  const taken = new Map<string, string>()
  const devices = new Map<string, Device>()
  for (const place of placed) {
    if (place.on === 'nothing') continue
    const { disk } = place
    const bus = place.on === 'cdrom' ? 'ide' : place.on
    const [name, last] = buses[bus]
    if (place.unit < 0 || place.unit > last) {
      found.push({ disk, why: `${name} has the places 0 to ${last}, not ${place.unit}` })
      continue
    }
    const where = `${bus} ${place.unit}`
    const other = taken.get(where)
    if (other !== undefined) {
      found.push({ disk, why: `${other} is already in place ${place.unit} of ${name}` })
      continue
    }
    taken.set(where, disk.vdev)
    const why = sharedDevice(place, devices)
    if (why !== undefined) found.push({ disk, why })
  }
  return found
}

const buses = { ide: ['IDE', 3], scsi: ['the SCSI bus', 7], ahci: ['AHCI', 5] } as const

interface Device {
  vdev: string
  writes: boolean
}

/** In a stub domain hda and sda are one device, which QEMU locks for who writes it. */
function sharedDevice({ disk, on, image }: Emulated, devices: Map<string, Device>): string | undefined {
  if (image?.format !== 'host_device') return undefined
  const { path } = image
  const writes = disk.readwrite && on !== 'cdrom'
  const other = devices.get(path)
  devices.set(path, { vdev: disk.vdev, writes: writes || other?.writes === true })
  if (other === undefined || !(other.writes || writes)) return undefined
  return `in the stub domain it is in the place of ${other.vdev}, as ${path}`
}
