import { firstBrokenRule, sentence } from '../../libxl/colo-rules.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { refuseDisk } from '../refuse-disk.js'
import { whyNotEmulated } from './not-emulated.js'
import type { Placed } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'

/**
 * libxl takes a COLO disk that QEMU then does not replicate, or that QEMU dies of; its guest would run without
 * the protection that it was given. The exports' ids are looked at later, with those of all drives (`safeColoNames`).
 *
 * @throws LibxlError for such a disk, and for one that lacks what COLO needs (`colo_qdisk_setup`)
 */
export function checkColo(
  placed: readonly Placed[],
  { domainType, hdtype, stubdom }: DeviceModelOptions,
  rules: PlacementRules,
): void {
  const names = replicable(hdtype, rules)
  let first: ResolvedDisk | undefined
  for (const place of placed) {
    if (place.role === 'none') continue
    const { disk } = place
    first ??= disk
    const misplaced = whyMisplaced(place, names)
    const broken = firstBrokenRule({ guest: { domainType, stubdom }, disk, backend: disk.backend, misplaced, first })
    if (broken !== undefined) throw refuseDisk(broken.reason, disk, sentence(broken))
  }
}

/** The names of disks that QEMU replicates. */
function replicable(hdtype: DeviceModelOptions['hdtype'], { lastScsi }: PlacementRules): string {
  const scsi = `sda to sd${String.fromCharCode(97 + lastScsi)}`
  return hdtype === 'ahci' ? scsi : `hda to hdd, or ${scsi}`
}

function whyMisplaced(place: Placed, names: string): string | undefined {
  if (place.on === 'ahci') return `libxl knows no COLO on AHCI: write hdtype="ide", or name the disk ${names}`
  if (place.on !== 'nothing') return undefined
  const why = place.why === 'number' ? 'its vdev is a number' : whyNotEmulated(place)
  const hint = place.why === 'number' || place.why === 'ide' ? `: name it ${names}` : ''
  return `QEMU replicates only disks that it emulates, and ${why}${hint}`
}
