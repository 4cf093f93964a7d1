import { type DeviceDisk, parseDisk, parseVdev } from 'xenlight'
import { createRandom } from '../../support/random.js'
import type { GoldenGuest } from './guest.js'

type GoldenDisk = GoldenGuest['disks'][number]

/** Guests with up to five disks of other guests, drawn by a seed, but none that libxl refuses. */
export function mixedGuests(guests: readonly GoldenGuest[], seed: number, count: number): GoldenGuest[] {
  const random = createRandom(seed)
  const disks = [...new Map(guests.flatMap(guest => guest.disks).map(disk => [disk.spec, disk])).values()]
  const fit = disks.filter(({ spec }) => isFit(parseDisk(spec)))
  return Array.from({ length: count }, () => {
    const hdtype = random.pick(['ide', 'ahci'] as const)
    const colo = random.pick(['none', 'secondary'] as const)
    const stubdom = random.chance(0.1)
    const disks = compatible(Array.from({ length: 1 + random.int(5) }, () => random.pick(fit)))
    const name = [`hvm, ${hdtype}, ${colo}${stubdom ? ', stubdom' : ''}`, ...disks.map(({ spec }) => spec)].join(' | ')
    return { name, type: 'hvm', hdtype, colo, stubdom, disks }
  })
}

/** One that may be any guest's: read-only disks are CD drives or SCSI, and a vdev names a place. */
const isFit = ({ vdev, readwrite, isCdrom }: DeviceDisk): boolean =>
  (readwrite || isCdrom || vdev!.startsWith('sd')) && parseVdev(vdev!)?.disk !== -1

/** Without those that have the number or the colo-export of one before. */
function compatible(disks: readonly GoldenDisk[]): GoldenDisk[] {
  const taken = new Set<number | string | undefined>()
  return disks.filter(({ spec }) => {
    const { vdev, coloEnable, coloExport } = parseDisk(spec)
    const own = [parseVdev(vdev!)?.devid, ...(coloEnable ? [coloExport] : [])]
    if (own.some(key => taken.has(key))) return false
    for (const key of own) taken.add(key)
    return true
  })
}
