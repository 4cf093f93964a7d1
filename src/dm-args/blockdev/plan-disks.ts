import { checkFunction, checkInteger } from '../../check-argument.js'
import { nbdTargetOf } from '../../libxl/nbd-target.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { safeColoNames } from '../colo-names.js'
import type { DeviceModelOptions } from '../disk-args-options.js'
import { willRefuse } from '../disk-warnings.js'
import { xen417 } from '../drive/xen-4.17.js'
import { clashes } from '../placement/clashes.js'
import { notEmulated } from '../placement/not-emulated.js'
import type { ColoRole, Emulated } from '../placement/place-disk.js'
import { placeDisks } from '../placement/place-disks.js'
import { sharedImages } from '../placement/shared-images.js'
import { forDisk, refuseDisk } from '../refuse-disk.js'
import { refuseReadOnly } from '../refuse-read-only.js'
import type { Blockdev } from './blockdev.js'
import { diskNodes } from './disk-nodes.js'
import { type GuestDevice, guestDevice } from './guest-device.js'
import { type NodeNames, nodeNames } from './node-names.js'
import type { TargetOf } from './protocol.js'

/** What a device model's block nodes depend on besides the disks. */
export interface BlockdevOptions extends DeviceModelOptions {
  /**
   * What `stat` says of an image's path: block and character devices need another driver than files. Where it is not
   * given, what is below /dev (but not /dev/shm) is taken for a device.
   */
  targetOf?: TargetOf | undefined
  /**
   * How long the requests of a disk over NBD wait for its server to come back, in whole seconds; after that the guest is stopped, and
   * QMP's `cont` tries them again. A number counts for every such disk; where they differ, give a function. Without it a request
   * fails at once, and the guest is told.
   */
  reconnectDelay?: number | ((disk: ResolvedDisk) => number | undefined) | undefined
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
  const { settled } = placeDisks(disks, options, xen417)
  if (options.targetOf !== undefined) checkFunction('targetOf', options.targetOf)
  const planned: PlannedDisk[] = []
  const warnings: string[] = []
  if (options.domainType !== 'hvm') return { planned, warnings }

  const [clash] = clashes(settled, xen417)
  if (clash !== undefined) throw refuseDisk('slot-taken', clash.disk, clash.why)
  const shown = settled.filter(place => place.on !== 'nothing')
  refuseSharedIds(shown)
  const namesOf = nodeNames(shown, safeColoNames(settled, xen417))
  for (const place of settled) {
    if (place.on === 'nothing') warnings.push(notEmulated(place))
    else planned.push(forDisk(place.disk, warnings, () => planDisk(place, namesOf(place), options)))
  }
  for (const shared of sharedImages(settled)) warnings.push(willRefuse(shared).message)
  return { planned, warnings }
}

/** A backend of its own makes another device of a number that is taken, for libxl; QEMU's ids are of the number alone. */
function refuseSharedIds(shown: readonly Emulated[]): void {
  const taken = new Map<string, string>()
  for (const place of shown) {
    const { id } = guestDevice(place, '', false)
    const other = taken.get(id)
    if (other !== undefined) throw refuseDisk('slot-taken', place.disk, `${other} has its device number already`)
    taken.set(id, place.disk.vdev)
  }
}

function planDisk(place: Emulated, names: NodeNames, options: BlockdevOptions): PlannedDisk {
  const { disk, role } = place
  if (place.on === 'ide') refuseReadOnly(disk, 'IDE')
  if (place.on === 'ahci') refuseReadOnly(disk, 'AHCI')
  const delay = reconnectDelay(disk, options)
  const nodes = diskNodes(place, names, options.targetOf, delay)
  return { disk, role, nodes, device: guestDevice(place, names.top, delay !== undefined) }
}

function reconnectDelay(disk: ResolvedDisk, { reconnectDelay: given }: BlockdevOptions): number | undefined {
  if (given === undefined || nbdTargetOf(disk) === undefined) return undefined
  const delay = typeof given === 'function' ? given(disk) : given
  if (delay !== undefined) checkInteger('reconnectDelay', delay, 0, 0xffffffff)
  return delay
}
