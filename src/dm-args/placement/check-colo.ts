import type { LibxlReason } from '../../libxl/libxl-reason.js'
import type { DomainType, ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { refuseDisk } from '../refuse-disk.js'
import { whyNotEmulated } from './not-emulated.js'
import type { Placed } from './place-disk.js'
import type { PlacementRules } from './placement-rules.js'

/**
 * libxl takes a COLO disk that QEMU then does not replicate, or that QEMU dies of; its guest would run without
 * the protection that it was given.
 *
 * @throws LibxlError for such a disk, and for one that lacks what COLO needs (`colo_qdisk_setup`)
 */
export function checkColo(
  placed: readonly Placed[],
  { domainType, hdtype, stubdom = false }: DeviceModelOptions,
  rules: PlacementRules,
): void {
  const names = replicable(hdtype, rules)
  let first: ResolvedDisk | undefined
  for (const place of placed) {
    if (place.role === 'none') continue
    const { disk } = place
    first ??= disk
    const refusal =
      unfitGuest(domainType, stubdom) ?? unfitPlace(place, names) ?? missing(disk) ?? otherServer(disk, first)
    if (refusal !== undefined) throw refuseDisk(refusal[0], disk, refusal[1])
  }
}

type Refusal = readonly [reason: LibxlReason, why: string] | undefined

/** A QEMU has one NBD server. */
function otherServer(disk: ResolvedDisk, first: ResolvedDisk): Refusal {
  if (disk.coloHost === first.coloHost && disk.coloPort === first.coloPort) return undefined
  const why = `all COLO disks of a guest have one colo-host and colo-port, and ${first.vdev} has others`
  return ['colo-different-secondary', why]
}

function unfitGuest(domainType: DomainType, stubdom: boolean): Refusal {
  if (domainType !== 'hvm')
    return ['colo-guest', `COLO replicates the disks of HVM guests only, and this guest is ${domainType}`]
  if (stubdom) return ['colo-guest', 'a QEMU in a stub domain cannot replicate disks: COLO needs one in the host']
  return undefined
}

/** The names of disks that QEMU replicates. */
function replicable(hdtype: DeviceModelOptions['hdtype'], { lastScsi }: PlacementRules): string {
  const scsi = `sda to sd${String.fromCharCode(97 + lastScsi)}`
  return hdtype === 'ahci' ? scsi : `hda to hdd, or ${scsi}`
}

function unfitPlace(place: Placed, names: string): Refusal {
  const { disk } = place
  if (disk.isCdrom) return ['colo-cdrom', 'a CD drive cannot be replicated: take colo away from it']
  if (!disk.readwrite)
    return ['colo-read-only', 'a read-only disk cannot be replicated, QEMU aborts: write access=rw or take colo away']
  if (disk.backend !== 'qdisk') return ['colo-backend', `COLO needs the backend qdisk, and this is ${disk.backend}`]
  if (place.on === 'ahci')
    return ['colo-place', `libxl knows no COLO on AHCI: write hdtype="ide", or name the disk ${names}`]
  if (place.on !== 'nothing') return undefined
  const why = place.why === 'number' ? 'its vdev is a number' : whyNotEmulated(place)
  const hint = place.why === 'number' || place.why === 'ide' ? `: name it ${names}` : ''
  return ['colo-place', `QEMU replicates only disks that it emulates, and ${why}${hint}`]
}

function missing({ coloHost, coloPort, coloExport, activeDisk, hiddenDisk }: ResolvedDisk): Refusal {
  const keys: string[] = []
  if (!coloHost) keys.push('colo-host')
  if (coloPort === 0) keys.push('colo-port')
  if (!coloExport) keys.push('colo-export')
  if (!activeDisk) keys.push('active-disk')
  if (!hiddenDisk) keys.push('hidden-disk')
  if (keys.length > 0)
    return ['colo-missing-key', `COLO needs ${keys.join(', ')}, which ${keys.length > 1 ? 'are' : 'is'} not set`]
  if (coloPort < 0 || coloPort > 65535)
    return ['colo-port-range', `colo-port is a number from 1 to 65535, not ${coloPort}`]
  return undefined
}
