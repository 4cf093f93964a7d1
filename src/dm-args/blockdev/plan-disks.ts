import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { checkArguments } from '../check-arguments.js'
import { checkColo } from '../check-colo.js'
import { clashes, willBeRefused } from '../clashes.js'
import { safeColoNames } from '../colo-names.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { xen417 } from '../drive/xen-4.17.js'
import { notEmulated } from '../not-emulated.js'
import { type ColoRole, type Emulated, type Placed, placeDisk } from '../place-disk.js'
import { forDisk, refuseDisk } from '../refuse-disk.js'
import { refuseReadOnly } from '../refuse-read-only.js'
import { settlePlaces } from '../settle-places.js'
import { sharedImages } from '../shared-images.js'
import type { Blockdev } from './blockdev.js'
import { diskNodes } from './disk-nodes.js'
import { type GuestDevice, guestDevice } from './guest-device.js'
import { nodeNames } from './node-names.js'
import type { TargetOf } from './protocol.js'

/** What a device model's block nodes depend on besides the disks. */
export interface BlockdevOptions extends DeviceModelOptions {
  /**
   * What `stat` says of an image's path: block and character devices need another driver than files. Where it is not
   * given, what is below /dev (but not /dev/shm) is taken for a device.
   */
  targetOf?: TargetOf | undefined
}

/** A disk that QEMU emulates: its nodes, and the device that reads the last of them. */
export interface PlannedDisk {
  disk: ResolvedDisk
  role: ColoRole
  nodes: Blockdev[]
  device: GuestDevice
}

/** What QEMU is to build for the disks of a guest, and libxl's warnings about those that it does not emulate. */
export function planDisks(
  disks: readonly ResolvedDisk[],
  options: BlockdevOptions,
): { planned: PlannedDisk[]; warnings: string[] } {
  checkArguments(disks, options)
  const placed = settlePlaces(disks.map(disk => placeDisk(disk, options, xen417)))
  checkColo(placed, options)
  if (options.domainType !== 'hvm') return { planned: [], warnings: [] }

  const warnings = placed.flatMap(place => (place.on === 'nothing' ? [notEmulated(place)] : []))
  const [clash] = clashes(placed)
  if (clash !== undefined) throw Object.assign(refuseDisk(clash.disk, clash.why), { warnings })
  const shown = placed.filter(isShown)
  const namesOf = nodeNames(shown, safeColoNames(placed))
  const planned = shown.map(place => {
    const { disk, role } = place
    return forDisk(disk, warnings, () => {
      if (place.on === 'ide') refuseReadOnly(disk, 'IDE')
      if (place.on === 'ahci') refuseReadOnly(disk, 'AHCI')
      const names = namesOf(place)
      return { disk, role, nodes: diskNodes(place, names, options.targetOf), device: guestDevice(place, names.top) }
    })
  })
  return { planned, warnings: [...warnings, ...sharedImages(placed).map(willBeRefused)] }
}

const isShown = (place: Placed): place is Emulated => place.on !== 'nothing'
